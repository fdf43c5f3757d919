namespace EdgeMesh.Kube;

/// <summary>Pauses after failures: from 0.8 s to 30 s, doubled each time, with full jitter (client-go's numbers).</summary>
internal sealed class RetryPause(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.8);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // Nothing we do makes a refusal go away.
    private static readonly TimeSpan Forbidden = TimeSpan.FromSeconds(60);
    private TimeSpan next = First;

    public void Reset() => next = First;

    public TimeSpan After(Exception fault)
    {
        TimeSpan pause = next * random.NextDouble();
        next = next * 2 < Longest ? next * 2 : Longest;
        return fault switch
        {
            ApiException { RetryAfter: { } wanted } => wanted + pause,
            ApiException { Status: 403 } => Forbidden * (0.5 + (random.NextDouble() / 2)),
            _ => pause,
        };
    }
}
