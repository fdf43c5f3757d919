namespace EdgeMesh.Dns;

/// <summary>Milliseconds that only go forward, whatever happens to the system's time.</summary>
internal sealed class DnsClock(TimeProvider time)
{
    private readonly long start = time.GetTimestamp();

    public long Now => (long)time.GetElapsedTime(start).TotalMilliseconds;
}
