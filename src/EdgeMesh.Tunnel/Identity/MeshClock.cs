using System.Buffers.Binary;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// Mesh time: the later of the system clock and the newest time ever seen, for boards without a clock battery that start in
/// 1970. The newest time is kept in the state directory. Any thread.
/// </summary>
internal sealed class MeshClock
{
    private const long KeepEveryTicks = TimeSpan.TicksPerHour;

    private readonly TimeProvider time;
    private readonly string path;
    private readonly ILogger log;
    private long newest;
    private long kept;

    public MeshClock(TimeProvider time, string path, ILogger log)
    {
        this.time = time;
        this.path = path;
        this.log = log;
        byte[]? stored = StateFiles.TryRead(path);
        newest = kept = stored is { Length: 8 }
            ? Math.Clamp(BinaryPrimitives.ReadInt64BigEndian(stored), 0, DateTimeOffset.MaxValue.UtcTicks)
            : 0;
    }

    public DateTimeOffset Now => new(Math.Max(time.GetUtcNow().UtcTicks, Interlocked.Read(ref newest)), TimeSpan.Zero);

    /// <summary>An authenticated party says that it is at least this late.</summary>
    public void Observe(DateTimeOffset seen)
    {
        long before = Interlocked.Read(ref newest);
        while (seen.UtcTicks > before)
        {
            long actual = Interlocked.CompareExchange(ref newest, seen.UtcTicks, before);
            if (actual == before)
            {
                break;
            }

            before = actual;
        }
    }

    /// <summary>Writes the time down when the last one is an hour old.</summary>
    public void Keep()
    {
        long now = Now.UtcTicks;
        if (now - Interlocked.Read(ref kept) < KeepEveryTicks)
        {
            return;
        }

        Interlocked.Exchange(ref kept, now);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, now);
        try
        {
            StateFiles.Replace(path, bytes);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            TunnelLog.FileFailed(log, path, fault.Message);
        }
    }
}
