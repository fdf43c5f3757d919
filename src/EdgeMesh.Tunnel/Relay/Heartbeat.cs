using System.Diagnostics;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// Whether the server at the other end of a WebSocket is still there. A router that has forgotten a TCP connection, or an address
/// that is gone, says nothing: only a question without an answer tells. Any thread.
/// </summary>
internal sealed class Heartbeat(Socket socket) : IDisposable
{
    private const int IpProtoTcp = 6;
    private const int TcpInfo = 11;
    private const int LastAckReceived = 56; // tcpi_last_ack_recv in struct tcp_info (linux/tcp.h)

    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(300);

    private readonly SemaphoreSlim wake = new(0, 1);
    private long heardAt = Stopwatch.GetTimestamp();
    private string? end;

    /// <summary>Why the connection is to be given up now, or null.</summary>
    public string? End => Volatile.Read(ref end);

    /// <summary>We have ended the connection, not the server or its kernel.</summary>
    public bool HasGivenUp => End is not null;

    public void Heard() => Interlocked.Exchange(ref heardAt, Stopwatch.GetTimestamp());

    public bool HasHeardSince(long timestamp) => Interlocked.Read(ref heardAt) >= timestamp;

    /// <summary>The connection is about to be needed, or something near it has failed: ask now.</summary>
    public void Check()
    {
        if (Stopwatch.GetElapsedTime(Interlocked.Read(ref heardAt)) > Fresh)
        {
            Wake();
        }
    }

    /// <summary>Data goes out and nothing has come for a while.</summary>
    public void CheckSilence(TimeSpan silence)
    {
        if (Stopwatch.GetElapsedTime(Interlocked.Read(ref heardAt)) > silence)
        {
            Wake();
        }
    }

    public void GiveUp(string why)
    {
        Volatile.Write(ref end, why);
        Wake();
    }

    /// <summary>Waits until a check is wanted, at most <paramref name="pause"/>.</summary>
    public Task WaitAsync(TimeSpan pause, CancellationToken stop) => wake.WaitAsync(pause, stop);

    /// <summary>The kernel at the other end has acknowledged something lately: a slow line, not a dead one.</summary>
    public bool IsAcknowledged(TimeSpan within)
    {
        Span<byte> info = stackalloc byte[104];
        try
        {
            int length = socket.GetRawSocketOption(IpProtoTcp, TcpInfo, info);
            return length >= LastAckReceived + 4 && BitConverter.ToUInt32(info[LastAckReceived..]) < within.TotalMilliseconds;
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose() => wake.Dispose();

    private void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // Asked for already, or over.
        }
    }
}
