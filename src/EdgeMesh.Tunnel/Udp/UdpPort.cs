using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Udp;

/// <summary>
/// A shard's sockets on the agent's one UDP port, over IPv4 and, where there is any, IPv6. What comes is told apart by the first byte
/// of each datagram; a train is handed on in runs of one kind. In the loop only, but for <see cref="OpenGroup"/>.
/// </summary>
internal sealed class UdpPort : IDisposable
{
    private readonly UdpSocket v4;
    private readonly UdpSocket? v6;
    private readonly PacketHandler onPackets;
    private readonly Func<WireAddress, bool>? firewall;
    private readonly Reactor reactor;
    private readonly UdpSocketOptions options;
    private readonly Action onWritable;

    // Addresses that are reached through a socket of their own: a guessed port behind a hard NAT (Guess/).
    private readonly Dictionary<WireAddress, UdpSocket> extras = [];

    private UdpPort(
        Reactor reactor, UdpSocketOptions options, UdpSocket v4, UdpSocket? v6, PacketHandler onPackets, Action onWritable, Func<WireAddress, bool>? firewall)
    {
        this.reactor = reactor;
        this.options = options;
        this.onWritable = onWritable;
        this.firewall = firewall;
        this.v4 = v4;
        this.v6 = v6;
        this.onPackets = onPackets;
        v4.Writable += onWritable;
        if (v6 is not null)
        {
            v6.Writable += onWritable;
        }
    }

    /// <summary>The port of both families.</summary>
    public int Number => v4.LocalEndPoint.Port;

    public bool HasV6 => v6 is not null;

    /// <summary>Datagrams that are nothing of ours.</summary>
    public long Unknown { get; private set; }

    /// <summary>Opens the wanted port, or any free one if that is taken, for all reactors.</summary>
    /// <exception cref="MeshException">No UDP socket can be had.</exception>
    public static UdpPort[] OpenGroup(
        IReadOnlyList<Reactor> reactors, TunnelOptions tunnel, Func<int, PacketHandler> onPackets, Func<int, Action> onWritable)
    {
        UdpPort[] ports = new UdpPort[reactors.Count];
        DatagramHandler[] handlers =
        [
            .. reactors.Select((_, i) => (DatagramHandler)((in UdpAddress from, Span<byte> train, int size) =>
                ports[i].Split(WireAddresses.From(from), train, size))),
        ];
        UdpSocketOptions options = new() { Mark = tunnel.SocketMark, Wrapper = (PacketKinds.RelayDataByte, RelayFrame.HeaderLength) };
        UdpSocket[] v4;
        try
        {
            v4 = OpenV4(reactors, tunnel.Port, options, handlers);
        }
        catch (SocketException fault)
        {
            throw new MeshException(MeshExit.Failed, $"no UDP socket can be opened: {fault.Message}", fault);
        }

        UdpSocket[]? v6 = null;
        try
        {
            v6 = Socket.OSSupportsIPv6
                ? UdpSocket.OpenGroup(reactors, new IPEndPoint(IPAddress.IPv6Any, v4[0].LocalEndPoint.Port), options, handlers)
                : null;
        }
        catch (SocketException)
        {
            // Without IPv6 the node has its IPv4 paths.
        }

        for (int i = 0; i < ports.Length; i++)
        {
            ports[i] = new UdpPort(reactors[i], options, v4[i], v6?[i], onPackets(i), onWritable(i), tunnel.Firewall);
        }

        return ports;
    }

    /// <summary>
    /// Another IPv4 socket on any port. What comes to it is dropped until <paramref name="isWelcome"/> says otherwise, or the socket is
    /// in use (<see cref="Use"/>).
    /// </summary>
    /// <exception cref="SocketException">None can be had.</exception>
    public UdpSocket OpenExtra(Func<UdpSocket, WireAddress, ReadOnlySpan<byte>, bool> isWelcome)
    {
        UdpSocket? socket = null;
        socket = UdpSocket.Open(reactor, new IPEndPoint(IPAddress.Any, 0), options, (in UdpAddress udp, Span<byte> train, int size) =>
        {
            WireAddress from = WireAddresses.From(udp);
            if (socket is not null && ((extras.TryGetValue(from, out UdpSocket? used) && used == socket) || isWelcome(socket, from, train)))
            {
                Split(from, train, size);
            }
        });
        socket.Writable += onWritable;
        return socket;
    }

    /// <summary>From now on that address is reached through that socket, which becomes the port's own.</summary>
    public void Use(in WireAddress to, UdpSocket socket)
    {
        if (extras.Remove(to, out UdpSocket? former))
        {
            former.Dispose();
        }

        extras[to] = socket;
    }

    public SendResult Send(in WireAddress to, ReadOnlySpan<byte> train, int segmentSize)
    {
        if (firewall is not null && firewall(to))
        {
            return SendResult.Sent;
        }

        if (extras.Count > 0 && extras.TryGetValue(to, out UdpSocket? extra))
        {
            return extra.Send(to.ToUdp(), train, segmentSize);
        }

        UdpSocket? socket = to.Family == 6 ? v6 : v4;
        return socket?.Send(to.ToUdp(), train, segmentSize) ?? SendResult.Unreachable;
    }

    public void Dispose()
    {
        v4.Dispose();
        v6?.Dispose();
        foreach (UdpSocket extra in extras.Values)
        {
            extra.Dispose();
        }
    }

    private static UdpSocket[] OpenV4(
        IReadOnlyList<Reactor> reactors, int wanted, UdpSocketOptions options, IReadOnlyList<DatagramHandler> handlers)
    {
        try
        {
            return UdpSocket.OpenGroup(reactors, new IPEndPoint(IPAddress.Any, wanted), options, handlers);
        }
        catch (SocketException fault) when (wanted != 0 && fault.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return UdpSocket.OpenGroup(reactors, new IPEndPoint(IPAddress.Any, 0), options, handlers);
        }
    }

    private void Split(WireAddress from, Span<byte> train, int segmentSize)
    {
        int start = 0;
        PacketKind kind = PacketKinds.Of(train);
        for (int at = segmentSize; at < train.Length; at += segmentSize)
        {
            PacketKind next = PacketKinds.Of(train[at..]);
            if (next != kind)
            {
                Hand(kind, from, train[start..at], segmentSize);
                start = at;
                kind = next;
            }
        }

        Hand(kind, from, train[start..], segmentSize);
    }

    private void Hand(PacketKind kind, in WireAddress from, Span<byte> train, int segmentSize)
    {
        if (kind == PacketKind.Unknown)
        {
            Unknown += segmentSize > 0 ? UdpSocket.Segments(train.Length, segmentSize) : 1;
            return;
        }

        onPackets(kind, from, train, segmentSize);
    }
}
