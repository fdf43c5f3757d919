using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>The two sockets of one listen address.</summary>
internal sealed record ListenSockets(Socket Udp, Socket Tcp)
{
    // Room for a burst while the threads are off the processor; the kernel doubles it and caps it by net.core.rmem_max.
    private const int ReceiveBuffer = 1 << 20;
    private const int Backlog = 128;

    // With port 0: the number that UDP got may be taken for TCP.
    private const int Attempts = 8;

    public IPEndPoint Address => (IPEndPoint)Udp.LocalEndPoint!;

    /// <summary>Null if the address is not on this machine (yet).</summary>
    /// <exception cref="MeshException">The port is taken or forbidden: with the address and the remedy.</exception>
    public static ListenSockets? TryBind(IPEndPoint address) => TryBind(address, address.Port == 0 ? Attempts : 1);

    private static ListenSockets? TryBind(IPEndPoint address, int attempts)
    {
        Socket udp = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        Socket tcp = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            udp.ReceiveBufferSize = ReceiveBuffer;
            udp.Bind(address);
            tcp.Bind(udp.LocalEndPoint!);
            tcp.Listen(Backlog);
            return new ListenSockets(udp, tcp);
        }
        catch (SocketException e)
        {
            udp.Dispose();
            tcp.Dispose();
            if (e.SocketErrorCode == SocketError.AddressAlreadyInUse && attempts > 1)
            {
                return TryBind(address, attempts - 1);
            }

            return e.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable => null,
                SocketError.AddressAlreadyInUse => throw new MeshException(
                    MeshExit.Failed,
                    $"dns cannot listen on {address}: another program has this port (see: ss -lunpt 'sport = :{address.Port}'); stop it or give another dns listen address",
                    e),
                SocketError.AccessDenied => throw new MeshException(
                    MeshExit.Failed,
                    $"dns cannot listen on {address}: ports below 1024 need root or CAP_NET_BIND_SERVICE; run with that right or give another dns listen address",
                    e),
                _ => throw new MeshException(MeshExit.Failed, $"dns cannot listen on {address}: {e.Message}; give another dns listen address", e),
            };
        }
    }
}
