using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// While a handshake runs, every datagram takes all ways at once: the dialler's are those it knows, the other side's are those
/// the dialler's packets came from. Once it is over, until a path is chosen, the way of the last packet is used alone.
/// </summary>
internal sealed class HandshakeOutput(UdpPort port) : IQuicOutput
{
    private const int MaxRoutes = 8;

    private readonly List<Route> routes = [];
    private Route last;

    public int HeaderRoom => RelayFrame.HeaderLength;

    public int MaxDatagramSize => RelayFrame.MaxUdpPayload;

    public IReadOnlyList<Route> Routes => routes;

    /// <summary>True: only the way of the last packet.</summary>
    public bool IsSettled { get; set; }

    public void Add(Route route)
    {
        if (routes.Count < MaxRoutes && !routes.Contains(route))
        {
            routes.Add(route);
        }
    }

    /// <summary>A packet of the connection came from there.</summary>
    public void Heard(Route route)
    {
        Add(route);
        last = route;
    }

    public bool Send(Span<byte> train, int segmentSize)
    {
        if (IsSettled && last != default)
        {
            Send(last, train, segmentSize);
            return true;
        }

        foreach (Route route in routes)
        {
            Send(route, train, segmentSize);
        }

        return true;
    }

    // What does not fit is lost: a handshake sends it again.
    private void Send(Route route, Span<byte> train, int segmentSize)
    {
        if (route.Link is { } link)
        {
            _ = link.Send(port, train, segmentSize, route.Relayed);
            return;
        }

        for (int at = 0; at < train.Length; at += segmentSize)
        {
            Span<byte> datagram = train[at..Math.Min(train.Length, at + segmentSize)][RelayFrame.HeaderLength..];
            _ = port.Send(route.Direct, datagram, datagram.Length);
        }
    }
}
