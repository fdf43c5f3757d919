using System.Buffers.Binary;
using System.Net;
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
    private const int SolTcp = 6;
    private const int TcpInfo = 11;

    /// <summary>Our own chains let the agent's sockets pass.</summary>
    public static void MarkAsAgent(Socket socket) =>
        socket.SetRawSocketOption(SolSocket, SoMark, BitConverter.GetBytes(MeshDefaults.AgentSocketMark));

    /// <summary>
    /// A pod that vanished without a word (its node's network went, it was killed with its namespace) is noticed four minutes later;
    /// the kernel's own two hours would keep its connections for half a day. What a listener accepts inherits it.
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

    /// <summary>Where the client wanted to go before the DNAT: a sockaddr_in from conntrack. Null: nowhere else.</summary>
    public static IPEndPoint? OriginalDestination(Socket socket)
    {
        Span<byte> raw = stackalloc byte[16];
        try
        {
            return socket.GetRawSocketOption(SolIp, SoOriginalDestination, raw) < 8 ? null
                : new IPEndPoint(new IPAddress(raw.Slice(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(raw[2..]));
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>
    /// How many connections wait to be accepted: of a listening socket, tcpi_unacked of struct tcp_info (linux/tcp.h), behind 8 bytes
    /// and four words, is the backlog in use.
    /// </summary>
    public static int Waiting(Socket listener)
    {
        Span<byte> raw = stackalloc byte[28];
        return listener.GetRawSocketOption(SolTcp, TcpInfo, raw) < raw.Length ? 1 : BitConverter.ToInt32(raw[24..]);
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
