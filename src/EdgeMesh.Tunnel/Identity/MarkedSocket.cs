using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>TCP connections to servers: marked so that our own rules leave them alone, no Nagle, little unsent data in the kernel.</summary>
internal static class MarkedSocket
{
    private const int SolSocket = 1;
    private const int SoMark = 36;
    private const int IpProtoTcp = 6;
    private const int TcpNotsentLowat = 25;
    private const int TcpUserTimeout = 18;

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(3);

    /// <exception cref="SocketException">Refused or unreachable.</exception>
    /// <exception cref="TimeoutException">No answer within 3 s.</exception>
    public static async Task<Socket> ConnectAsync(IPEndPoint to, int? mark, CancellationToken stop)
    {
        Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Set(socket, IpProtoTcp, TcpNotsentLowat, 128 * 1024);
            Set(socket, IpProtoTcp, TcpUserTimeout, 15_000);
            Mark(socket, mark);
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(ConnectPatience);
            await socket.ConnectAsync(to, limit.Token).ConfigureAwait(false);
            return socket;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"no answer within {ConnectPatience.TotalSeconds} s");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Marks any socket.</summary>
    public static void Mark(Socket socket, int? mark)
    {
        if (mark is { } value)
        {
            Set(socket, SolSocket, SoMark, value);
        }
    }

    // Without CAP_NET_ADMIN the mark is refused; the agent as a whole cannot run then, a test can.
    private static void Set(Socket socket, int level, int option, int value)
    {
        try
        {
            Span<byte> bytes = stackalloc byte[4];
            BitConverter.TryWriteBytes(bytes, value);
            socket.SetRawSocketOption(level, option, bytes);
        }
        catch (SocketException fault) when (fault.SocketErrorCode == SocketError.AccessDenied)
        {
        }
    }
}
