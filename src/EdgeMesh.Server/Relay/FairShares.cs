namespace EdgeMesh.Server.Relay;

/// <summary>
/// Who may send how much through the relay. One agent's limit and that of all are buckets. When all want more than the limit of
/// all, or than the machine can do, each gets the same share, and who wants less gets what it wants: an agent that floods takes
/// nothing from the others. A frame costs a few operations whatever the number of agents; the share is worked out ten times a
/// second while something is relayed. Between, for as long as datagrams pile up, all shares are a quarter: the pile is read and
/// dropped, which is quick, before the kernel drops what comes next, whosever it is. Any thread; allocates nothing per frame.
/// </summary>
internal sealed class FairShares(RelayLimits limits, Func<IEnumerable<RelaySource>> sources, RelayCounters counters)
{
    /// <summary>ns.</summary>
    public const long Window = 100_000_000;

    /// <summary>ns without a frame after which nothing before counts; a machine may well be stalled for some windows.</summary>
    public const long Pause = 1_000_000_000;

    // Shares leave the limit of all a little to spare, or that would drop what comes, whosever it is.
    private const double Spare = 0.95;

    // What may come at once. The bucket of all holds the bursts of all shares and more: it stands in for shares only until
    // these are worked out.
    private const long OwnBurst = 100_000_000;
    private const long ShareBurst = 200_000_000;
    private const long TotalBurst = 500_000_000;

    // How much more a frame costs its sender while datagrams pile up.
    private const double CrowdedCost = 4;

    // A WebSocket is read this many times as fast as its agent may send: what is dropped tells the agent's connections to
    // slow down, what is not read keeps one that does not listen from taking the time of all.
    private const double ReadAhead = 4;

    private readonly double ownCost = Cost(limits.AgentRate);
    private readonly double totalCost = Cost(limits.TotalRate);
    private readonly Overload overload = new();

    // Guards what follows: the window's end is worked out by whoever comes first, the others go on.
    private readonly Lock gate = new();
    private double[] demands = new double[64];
    private long carried;
    private long windowBegan;

    private RateBucket total;
    private long windowEnds;
    private double shareCost;

    // Looks at the sockets in this window, and those that found datagrams piled up.
    private int looks;
    private int crowdedLooks;
    private volatile bool isCrowded;

    /// <summary>Bytes a second that an agent may send now; null while there is enough for all.</summary>
    public long? Share => Volatile.Read(ref shareCost) is > 0 and double cost ? (long)(1e9 / cost) : null;

    /// <summary>Asks for frames of one agent.</summary>
    /// <param name="source">The agent.</param>
    /// <param name="bytes">Of all frames.</param>
    /// <param name="unit">Of one; the last may be shorter.</param>
    /// <param name="now">ns.</param>
    /// <param name="limit">What stood against those that may not pass.</param>
    /// <returns>Bytes, whole frames, that may pass.</returns>
    public int Take(RelaySource source, int bytes, int unit, long now, out DropReason limit)
    {
        limit = DropReason.AgentRate;
        int passed = source.Own.Take(bytes, unit, now, ownCost, OwnBurst);
        source.Offer(passed);
        if (now >= Volatile.Read(ref windowEnds))
        {
            EndWindow(now);
        }

        int shared = source.Share.Take(passed, unit, now, Volatile.Read(ref shareCost) * (isCrowded ? CrowdedCost : 1), ShareBurst);
        if (shared < passed)
        {
            limit = DropReason.FairShare;
        }

        passed = total.Take(shared, unit, now, totalCost, TotalBurst);
        if (passed < shared)
        {
            limit = DropReason.TotalRate;
        }

        return passed;
    }

    /// <summary>Tells whether datagrams pile up at the relay's sockets; it is so until told otherwise.</summary>
    public void Look(bool isPile)
    {
        isCrowded = isPile;
        Interlocked.Increment(ref looks);
        Interlocked.Add(ref crowdedLooks, isPile ? 1 : 0);
    }

    /// <summary>How long a WebSocket whose agent is over a limit is not to be read after so many bytes; ns.</summary>
    public long PauseAfter(int bytes) =>
        (long)Math.Min(bytes * Math.Max(ownCost, Volatile.Read(ref shareCost)) / ReadAhead, ShareBurst / 2);

    private static double Cost(long? rate) => rate is { } bytes ? 1e9 / bytes : 0;

    private void EndWindow(long now)
    {
        if (!gate.TryEnter())
        {
            return;
        }

        try
        {
            if (now >= windowEnds)
            {
                bool isFirst = now - windowEnds > Pause;
                EndWindow(Math.Max(now - windowBegan, 1) / 1e9, isFirst);
                windowBegan = now;
                Volatile.Write(ref windowEnds, now + Window);
            }
        }
        finally
        {
            gate.Exit();
        }
    }

    private void EndWindow(double seconds, bool isFirst)
    {
        double offered = 0;
        int count = 0;
        foreach (RelaySource source in sources())
        {
            offered += source.EndWindow(seconds, isFirst);
            if (source.Demand > 0)
            {
                if (count == demands.Length)
                {
                    Array.Resize(ref demands, count * 2);
                }

                demands[count++] = source.Demand;
            }
        }

        long carriedNow = counters.UdpBytes + counters.SocketBytes;

        // Who looks has the sockets' thread: while that gets no time, what it saw last goes on.
        int seen = Interlocked.Exchange(ref looks, 0);
        int piles = Interlocked.Exchange(ref crowdedLooks, 0);
        double crowding = seen > 0 ? Math.Min(1, piles / (double)seen) : isCrowded ? 1 : 0;
        if (isFirst)
        {
            // What was counted in a pause says nothing about rates.
            overload.Forget();
        }
        else
        {
            overload.Update(offered, (carriedNow - carried) / seconds, crowding);
        }

        carried = carriedNow;
        double capacity = Math.Min(overload.Capacity, limits.TotalRate * Spare ?? double.PositiveInfinity);
        double level = isFirst || double.IsInfinity(capacity) ? double.PositiveInfinity : WaterLevel.Of(demands.AsSpan(0, count), capacity);
        Volatile.Write(ref shareCost, double.IsInfinity(level) ? 0 : 1e9 / level);
    }
}
