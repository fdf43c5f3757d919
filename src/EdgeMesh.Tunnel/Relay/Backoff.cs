namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// Pauses between attempts: doubling from 50 ms with full jitter, at most 1 s for the first two minutes (a restarted server has
/// its agents back at once), then at most 10 s.
/// </summary>
internal sealed class Backoff(Random random)
{
    private const double FirstMilliseconds = 50;
    private const double EarlyCap = 1_000;
    private const double LateCap = 10_000;
    private const double EarlyTotal = 120_000;

    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReplacedPause = TimeSpan.FromSeconds(10);

    private int attempts;
    private double total;

    public void Reset()
    {
        attempts = 0;
        total = 0;
    }

    public TimeSpan Next()
    {
        double cap = total < EarlyTotal ? EarlyCap : LateCap;
        double limit = Math.Min(cap, FirstMilliseconds * Math.Pow(2, Math.Min(attempts++, 20)));
        double pause = limit * random.NextDouble();
        total += Math.Max(pause, FirstMilliseconds);
        return TimeSpan.FromMilliseconds(pause);
    }

    /// <summary>The pause after an attempt or a connection that is over.</summary>
    /// <param name="lasted">From the beginning of the attempt: a connection that stood for a while begins the series anew.</param>
    /// <param name="wasReplaced">Another agent of this name took the place: taking it back at once would go on for ever.</param>
    public TimeSpan After(TimeSpan lasted, bool wasReplaced)
    {
        if (lasted > StableAfter)
        {
            Reset();
        }

        return wasReplaced ? ReplacedPause : Next();
    }
}
