using EdgeMesh.App.Ops;
using EdgeMesh.Dns;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>The agent's live state as the reports of the operator verbs.</summary>
internal static class AgentReports
{
    public static AgentReport Status(AgentState state)
    {
        IReadOnlyList<PeerReport> peers = state.Tunnel is { } tunnel ? Peers(tunnel).Peers : [];
        return new AgentReport
        {
            Node = state.Options.Node.Value,
            Version = ProgramVersion.Text,
            BootId = state.Tunnel is { } started ? started.BootId.ToString("N") : null,
            StartedAt = state.StartedAt,
            UptimeSeconds = (long)state.Uptime.TotalSeconds,
            NotReady = state.WhyNotReady(),
            Source = state.Source is { } source ? Source(source) : null,
            Model = Model(state.Cell.Current),
            Servers = [.. (state.Tunnel?.Servers ?? []).Select(Server)],
            Peers = new PeerCountReport(
                peers.Count(p => p.Connected), On(peers, "lan"), On(peers, "direct"), On(peers, "relay-udp"), On(peers, "relay-tls")),
            Dns = state.Dns is { } dns ? Dns(dns) : null,
            ProxyRunning = state.ProxyRuns,
            Memory = MemoryReport.Now(),
        };
    }

    public static PeersReport Peers(TunnelService tunnel) =>
        new([.. tunnel.Peers.Select(Peer).OrderBy(p => p.Node, StringComparer.Ordinal)]);

    private static int On(IReadOnlyList<PeerReport> peers, string path) => peers.Count(p => p.Connected && p.Path == path);

    private static SourceReport Source(SourceStatus status) => new(
        status.Source, status.Synced, status.LastChange == default ? null : status.LastChange, status.Files,
        [.. status.Problems.Select(p => new SourceProblemReport(p.File, p.Line, p.Reason))]);

    private static DnsReport Dns(DnsStatus status) => new(
        [.. status.Listening.Select(e => e.ToString())],
        [.. status.Missing.Select(e => e.ToString())],
        [.. status.Upstreams.Select(u => new UpstreamReport(u.Server.ToString(), u.Latency?.TotalMilliseconds, u.Failures, u.IsLoop))],
        status.CachedAnswers,
        status.CacheBytes);

    private static ModelReport Model(MeshSnapshot snapshot)
    {
        int services = 0, endpoints = 0;
        foreach (ServiceState service in snapshot.Services.Values)
        {
            services += service.Service is null ? 0 : 1;
            foreach (EndpointSlice slice in service.Slices)
            {
                endpoints += slice.Endpoints.Length;
            }
        }

        return new ModelReport(services, endpoints, snapshot.Nodes.Count);
    }

    public static PingReport Ping(int sequence, NodeName node, PingResult result) => new(
        sequence, node.Value, Name(result.Path), result.RemoteAddress?.ToString() ?? result.Server, result.RoundTrip.TotalMilliseconds, null);

    private static PeerReport Peer(PeerStatus peer) => new()
    {
        Node = peer.Node.Value,
        Connected = peer.Connected,
        Path = Name(peer.Path),
        Remote = peer.RemoteAddress?.ToString(),
        Server = peer.Server,
        RoundTripMs = peer.RoundTrip?.TotalMilliseconds,
        Loss = peer.Loss is double loss ? Math.Round(loss, 3) : null,
        Mtu = peer.Mtu > 0 ? peer.Mtu : null,
        Since = peer.Since,
        OpenStreams = peer.OpenStreams,
        Sent = Bytes(peer.BytesSent),
        Received = Bytes(peer.BytesReceived),
        Why = peer.WhyText,
    };

    private static PathBytesReport Bytes(IReadOnlyDictionary<PathKind, long> bytes) => new(
        bytes.GetValueOrDefault(PathKind.Lan), bytes.GetValueOrDefault(PathKind.Direct),
        bytes.GetValueOrDefault(PathKind.RelayUdp), bytes.GetValueOrDefault(PathKind.RelayTls));

    private static ServerLegReport Server(ServerStatus server) => new()
    {
        Server = server.Server,
        Address = server.Address,
        Proxy = server.Proxy,
        Connected = server.Connected,
        Leg = !server.Connected ? "none" : server.Udp ? "udp" : "tls",
        RoundTripMs = server.RoundTrip?.TotalMilliseconds,
        ObservedAddress = server.ObservedAddress?.ToString(),
        MapsByDestination = server.MapsByDestination,
        Since = server.Since,
        Why = server.WhyText,
    };

    private static string Name(PathKind path) => path switch
    {
        PathKind.Lan => "lan",
        PathKind.Direct => "direct",
        PathKind.RelayUdp => "relay-udp",
        PathKind.RelayTls => "relay-tls",
        _ => "none",
    };
}
