using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Host;

/// <summary>Socket options that .NET has no name for (asm-generic/socket.h, linux/netfilter_ipv4.h).</summary>
internal static class SocketSetup
{
    private const int SolSocket = 1;
    private const int SoMark = 36;
    private const int SoReceiveBufferForce = 33;
    private const int SoSendBufferForce = 32;
    private const int SolIp = 0;
    private const int SoOriginalDestination = 80;

    /// <summary>Our own chains let the agent's sockets pass.</summary>
    public static void MarkAsAgent(Socket socket) =>
        socket.SetRawSocketOption(SolSocket, SoMark, BitConverter.GetBytes(MeshDefaults.AgentSocketMark));

    /// <summary>
    /// A pod that vanished without a word (its node's network went, it was killed with its namespace) is noticed four minutes later;
    /// the kernel's own two hours would keep its connections for half a day.
    /// </summary>
    public static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 120);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 30);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
    }

    /// <summary>Beyond net.core.rmem_max where we may; else as much as it allows.</summary>
    public static void Enlarge(Socket socket, int bytes)
    {
        try
        {
            socket.SetRawSocketOption(SolSocket, SoReceiveBufferForce, BitConverter.GetBytes(bytes));
            socket.SetRawSocketOption(SolSocket, SoSendBufferForce, BitConverter.GetBytes(bytes));
        }
        catch (SocketException)
        {
            socket.ReceiveBufferSize = bytes;
            socket.SendBufferSize = bytes;
        }
    }

    /// <summary>Where the client wanted to go before the DNAT: a sockaddr_in from conntrack.</summary>
    public static bool TryGetOriginalDestination(Socket socket, Span<byte> address, out ushort port)
    {
        Span<byte> raw = stackalloc byte[16];
        port = 0;
        try
        {
            if (socket.GetRawSocketOption(SolIp, SoOriginalDestination, raw) < 8)
            {
                return false;
            }
        }
        catch (SocketException)
        {
            return false;
        }

        port = (ushort)((raw[2] << 8) | raw[3]);
        raw.Slice(4, 4).CopyTo(address);
        return true;
    }

    /// <summary>Closes with RST.</summary>
    public static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone already; closing is all that is left.
        }

        socket.Dispose();
    }
}
