namespace EdgeMesh.Tunnel.Paths;

/// <summary>
/// Finds the largest datagram that passes a path: pings padded to each size, three rounds; what was answered holds. Full-size
/// pings among the ordinary ones notice when the path has shrunk.
/// </summary>
internal sealed class MtuProber(byte family)
{
    // UDP payload: 1500 − 20 − 8 (IPv4), 1500 − 40 − 8 (IPv6), and what PPPoE, tunnels and VPNs leave of it.
    private static readonly int[] SizesV4 = [1280, 1372, 1400, 1452, 1472];
    private static readonly int[] SizesV6 = [1280, 1372, 1400, 1432, 1452];

    private readonly int[] sizes = family == 6 ? SizesV6 : SizesV4;
    private int round;
    private int fullUnanswered;

    /// <summary>The last size that is tested.</summary>
    public const int Largest = 1472;

    /// <summary>What RFC 9000 demands of every path.</summary>
    public const int Base = 1200;

    public int Confirmed { get; private set; } = Base;

    /// <summary>When <see cref="CopyDue"/> has something; <see cref="long.MaxValue"/> before <see cref="Start"/>.</summary>
    public long Next { get; private set; } = long.MaxValue;

    public void Start(long now)
    {
        round = 0;
        Next = now;
    }

    public void Stop() => Next = long.MaxValue;

    /// <summary>The sizes to be tested now.</summary>
    public int CopyDue(long now, Span<int> due)
    {
        if (now < Next)
        {
            return 0;
        }

        int count = 0;
        foreach (int size in sizes)
        {
            if (size > Confirmed)
            {
                due[count++] = size;
            }
        }

        round = round == PathTiming.MtuRounds ? 1 : round + 1;
        Next = now + (round == PathTiming.MtuRounds || count == 0 ? PathTiming.MtuRecheck : PathTiming.MtuRetry);
        return count;
    }

    /// <summary>A full-size ping was lost and nobody knows yet whether by chance: more of them, soon.</summary>
    public bool IsDoubted => fullUnanswered > 0;

    public void OnPong(int size)
    {
        if (size >= Confirmed)
        {
            Confirmed = size;
            fullUnanswered = 0;
        }
    }

    /// <summary>A ping of the confirmed size was answered or, when the next one goes out, was not, though small ones were.</summary>
    public void OnFullPingLost(long now)
    {
        if (++fullUnanswered >= PathTiming.MtuLosses && Confirmed > Base)
        {
            Shrink(now);
        }
    }

    /// <summary>The path takes less than was confirmed: back to the base and test again.</summary>
    public void Shrink(long now)
    {
        Confirmed = Base;
        fullUnanswered = 0;
        Start(now + PathTiming.MtuRetry);
    }
}
