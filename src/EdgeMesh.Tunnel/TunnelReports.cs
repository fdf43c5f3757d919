using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel;

/// <summary>The loops' state as the reports others see: of peers in their shard's loop, of servers in the first's.</summary>
internal static class TunnelReports
{
    public static IReadOnlyList<PeerStatus> Peers(Shard shard, TunnelLoop loop) => [.. shard.Peers.Select(peer => Peer(peer, loop))];

    /// <summary>Path MTUs of the peers that are reached directly.</summary>
    public static IReadOnlyList<int> DirectMtus(Shard shard) =>
        [.. shard.Peers.Where(peer => peer.Paths.Selected.IsDirect).Select(peer => peer.Paths.Mtu)];

    /// <summary>Where connected peers are reached directly.</summary>
    public static IReadOnlyList<(NodeName Node, WireAddress Address)> DirectAddresses(Shard shard) =>
    [
        .. shard.Peers.Where(peer => peer.Current is not null && peer.Paths.Selected.IsDirect)
            .Select(peer => (peer.Node, peer.Paths.Selected.Remote)),
    ];

    public static IReadOnlyList<ServerStatus> Servers(TunnelLoop loop) => [.. loop.Links.Select(Server)];

    public static PingResult Ping(TunnelLoop loop, Peer peer, long roundTrip) => new(
        Span(roundTrip),
        peer.Paths.Selected.Kind,
        peer.Paths.Selected.IsDirect ? peer.Paths.Selected.Remote.ToEndPoint() : null,
        ServerOf(peer.Paths.Selected, loop));

    private static PeerStatus Peer(Peer peer, TunnelLoop loop)
    {
        PathSelection path = peer.Current is null ? default : peer.Paths.Selected;
        long roundTrip = peer.Current?.Quic.Stats.SmoothedRoundTrip ?? 0;
        return new PeerStatus
        {
            Node = peer.Node,
            Connected = peer.Current is not null,
            Path = path.Kind,
            RemoteAddress = path.IsDirect ? path.Remote.ToEndPoint() : null,
            Server = ServerOf(path, loop),
            RoundTrip = path.IsDirect && peer.Paths.RoundTrip > 0 ? Span(peer.Paths.RoundTrip) : roundTrip > 0 ? Span(roundTrip) : null,
            Loss = peer.Current is null ? null : peer.Paths.Loss,
            BytesSent = ByPath(peer.Traffic.Sent),
            BytesReceived = ByPath(peer.Traffic.Received),
            Since = At(peer.Since),
            Mtu = peer.SelectedOutput?.MaxDatagramSize ?? 0,
            OpenStreams = peer.Connections.Sum(c => c.OpenStreams) + peer.Flows.Count,
            WhyText = peer.Current is null ? "not connected" : peer.Paths.Why,
            Shard = peer.Shard.Index,
        };
    }

    private static ServerStatus Server(RelayLink link) => new()
    {
        Server = link.Name,
        Connected = link.IsConnected,
        Address = link.Session?.Way.Target,
        Proxy = link.Session?.Way.Proxy?.ToString(),
        Udp = link.IsUdpBound,
        ObservedAddress = link.Observed.Family == 0 ? null : link.Observed.ToEndPoint(),
        MapsByDestination = link.MapsByDestination,
        RoundTrip = link.Way.RoundTrip > 0 ? Span(link.Way.RoundTrip) : null,
        Since = At(link.Since),
        WhyText = link.Why,
    };

    private static string? ServerOf(PathSelection path, TunnelLoop loop) =>
        path.Kind is PathKind.RelayUdp or PathKind.RelayTls ? loop.Links.FirstOrDefault(link => link.Id == path.RelayId)?.Name : null;

    private static Dictionary<PathKind, long> ByPath(long[] values) =>
        Enumerable.Range((int)PathKind.RelayTls, (int)PathKind.Lan).ToDictionary(i => (PathKind)i, i => values[i]);

    private static TimeSpan Span(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / 100);

    private static DateTimeOffset At(long loopTime) =>
        loopTime == 0 ? DateTimeOffset.UtcNow : DateTimeOffset.UtcNow - Span(Reactor.Clock() - loopTime);
}
