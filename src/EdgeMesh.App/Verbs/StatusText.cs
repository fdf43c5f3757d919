using System.Globalization;
using System.Text;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Dns;

namespace EdgeMesh.App.Verbs;

/// <summary>The reports as people read them.</summary>
internal static class StatusText
{
    public static string Of(AgentReport report)
    {
        StringBuilder text = new();
        Pair(text, "node", $"{report.Node} ({(report.NotReady is { } reason ? "not ready: " + reason : "ready")})");
        Pair(text, "version", $"{report.Version}, up {Age(report.UptimeSeconds)}, boot {report.BootId ?? "-"}");
        if (report.Source is { } source)
        {
            string when = source.LastChange is { } change ? $", last change {Ago(change)}" : "";
            Pair(text, "source", $"{source.Source} ({(source.Synced ? "synced" : "not synced")}, {source.Files} files{when})");
            foreach (SourceProblemReport problem in source.Problems)
            {
                Pair(text, "  problem", problem.Line > 0 ? $"{problem.File}:{problem.Line}: {problem.Reason}" : $"{problem.File}: {problem.Reason}");
            }
        }

        Pair(text, "model", $"{report.Model.Services} services, {report.Model.Endpoints} endpoints, {report.Model.Nodes} nodes");
        foreach (ServerLegReport server in report.Servers)
        {
            Pair(text, "server", server.Connected
                ? $"{server.Server} connected by {server.Leg}{Through(server.Proxy)}{RoundTrip(server.RoundTripMs, ", ")}"
                    + (server.ObservedAddress is { } seen ? $", sees this node at {seen}" : "")
                    + (server.MapsByDestination ? ", through a NAT that maps by destination" : "")
                : $"{server.Server} not connected since {Ago(server.Since)}: {server.Why}");
        }

        PeerCountReport peers = report.Peers;
        Pair(text, "peers", $"{peers.Connected} connected: {peers.Lan} lan, {peers.Direct} direct, {peers.RelayUdp} relay-udp, {peers.RelayTls} relay-tls");
        Pair(text, "dns", report.Dns is { } dns ? Line(dns) : "not running");
        Pair(text, "proxy", report.ProxyRunning ? "running" : "not running");
        Memory(text, report.Memory);
        return text.ToString();
    }

    public static string Of(ServerReport report)
    {
        StringBuilder text = new();
        Pair(text, "version", $"{report.Version}, up {Age(report.UptimeSeconds)}");
        Pair(text, "listen", string.Join(", ", report.Listen));
        Pair(text, "advertise", string.Join(", ", report.Advertise));
        Pair(text, "ca", report.CaFingerprint);
        if (report.JoinedTo is not null)
        {
            Pair(text, "joined", report.JoinedTo);
        }

        if (report.OtherServers.Count > 0)
        {
            Pair(text, "others", string.Join(", ", report.OtherServers.Select(s => s[(s.IndexOf('=', StringComparison.Ordinal) + 1)..])));
        }

        RelayReport relay = report.Relay;
        Pair(text, "relayed", $"{SizeText.Of(relay.UdpBytes)} to UDP legs, {SizeText.Of(relay.TlsBytes)} to TLS legs");
        if (relay.Dropped.Count > 0)
        {
            Pair(text, "dropped", string.Join(", ", relay.Dropped.Select(d => $"{d.Value} {d.Key}")));
        }

        if (relay.FairShare is { } share)
        {
            Pair(text, "overload", $"agents want more than there is: {RateText.Of(share)} each");
        }

        Pair(text, "queued", $"{SizeText.Of(relay.QueuedBytes)} of {SizeText.Of(relay.Limits.TotalQueue)}");
        Pair(text, "limits", $"{Limit(relay.Limits.AgentRate)} an agent, {Limit(relay.Limits.TotalRate)} in all");
        Memory(text, report.Memory);
        Pair(text, "connected", string.Create(CultureInfo.InvariantCulture, $"{report.Connected.Count} of {relay.Limits.MaxAgents}"));
        if (report.Connected.Count > 0)
        {
            Columns table = new("NODE", "ADDRESS", "LEG", "UDP-ADDRESS", "QUEUED");
            foreach (ConnectedNodeReport node in report.Connected)
            {
                table.Add(node.Node, node.Address, node.Leg, node.UdpAddress, SizeText.Of(node.QueuedBytes));
            }

            text.Append('\n').Append(table);
        }

        return text.ToString();
    }

    public static string Of(PeersReport report)
    {
        if (report.Peers.Count == 0)
        {
            return "no peers yet: the tunnel connects when a Service on another node is called\n";
        }

        Columns table = new("NODE", "PATH", "REMOTE", "RTT", "LOSS", "STREAMS", "SENT", "RECEIVED", "SINCE", "WHY");
        foreach (PeerReport peer in report.Peers)
        {
            table.Add(
                peer.Node, peer.Connected ? peer.Path : "none", peer.Remote ?? peer.Server, RoundTrip(peer.RoundTripMs, ""),
                peer.Loss is double loss ? loss.ToString("0.0%", CultureInfo.InvariantCulture) : null,
                peer.OpenStreams.ToString(CultureInfo.InvariantCulture),
                SizeText.Of(peer.Sent.Total), SizeText.Of(peer.Received.Total), peer.Since is { } since ? Ago(since) : null, peer.Why);
        }

        return table.ToString();
    }

    public static string Of(PingReport report) => report.Problem is { } problem
        ? string.Create(CultureInfo.InvariantCulture, $"{report.Sequence}: {report.ElapsedMs / 1000:0.00} s: {report.Node} does not answer: {problem}")
        : string.Create(CultureInfo.InvariantCulture, $"{report.Sequence}: {report.ElapsedMs / 1000:0.00} s: {report.Node} by {report.Path}{(report.Remote is { } remote ? " " + remote : "")}{RoundTrip(report.RoundTripMs, ", ")}");

    public static string Of(NetcheckReport report)
    {
        StringBuilder text = new();
        Pair(text, "NAT", report.Nat switch
        {
            "none" => "none: servers see this node's own address",
            "endpoint-independent" => "endpoint-independent mapping: direct paths work",
            "destination-dependent" => "destination-dependent mapping (symmetric): direct paths need luck or a mapped port",
            _ => "unknown: no server has answered over UDP",
        });
        Pair(text, "UDP", report.Udp ? $"works, port {report.UdpPort}" : "gets no answer");
        Pair(text, "IPv6", report.Ipv6 ? "yes" : "no");
        Pair(text, "port mapping", report.MappedPort ?? "none");
        Pair(text, "MTU", report.Mtu > 0 ? $"{report.Mtu} bytes of UDP payload" : "no direct path yet");
        Pair(text, "addresses", string.Join(", ", report.Addresses));
        foreach (NetcheckServer server in report.Servers)
        {
            string seen = server.ObservedAddress is { } address ? ", sees us as " + address : "";
            Pair(text, "server " + server.Server, server.Connected ? $"connected by {server.Leg}{RoundTrip(server.RoundTripMs, ", ")}{seen}" : $"not connected: {server.Problem}");
            foreach (NetcheckPort port in server.Tcp)
            {
                Pair(text, $"  TCP {port.Address}{Through(port.Proxy)}", port.Problem ?? $"answers{RoundTrip(port.RoundTripMs, " in ")}");
            }
        }

        foreach (string advice in report.Advice)
        {
            text.Append("! ").Append(advice).Append('\n');
        }

        return text.ToString();
    }

    public static string Of(ResolveReport report)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{report.Name} {report.Type}: {report.Code} from {report.Server} in {report.Milliseconds:0.0} ms\n");
        foreach (DnsStep step in report.Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {step.Source,-8} {step.Text}\n");
        }

        foreach (string answer in report.Answers)
        {
            text.Append("  answer   ").Append(answer).Append('\n');
        }

        return text.ToString();
    }

    public static string Of(TokensReport report)
    {
        Columns table = new("ID", "STATE", "NODE", "USES-LEFT", "EXPIRES");
        foreach (TokenReport token in report.Tokens)
        {
            table.Add(token.Id, token.State, token.Node ?? "any", token.UsesLeft.ToString(CultureInfo.InvariantCulture), Day(token.ExpiresAt));
        }

        return table.ToString();
    }

    public static string Of(NodesReport report)
    {
        Columns table = new("NODE", "STATE", "ENROLLED", "CERTIFICATE-ENDS");
        foreach (NodeReport node in report.Nodes)
        {
            table.Add(node.Node, node.Revoked ? "revoked" : "good", Day(node.EnrolledAt), Day(node.CertificateExpiresAt));
        }

        return table.ToString();
    }

    public static string Of(ServersReport report)
    {
        Columns table = new("ID", "JOINED", "ADDRESSES");
        foreach (JoinedServerReport server in report.Servers)
        {
            table.Add(server.Id, Day(server.JoinedAt), string.Join(", ", server.Addresses));
        }

        return table.ToString();
    }

    private static string Line(DnsReport dns)
    {
        string missing = dns.Missing.Count > 0 ? $"; not on this machine: {string.Join(", ", dns.Missing)}" : "";
        string upstreams = dns.Upstreams.Count > 0
            ? "; upstream " + string.Join(", ", dns.Upstreams.Select(u => u.Server + (u.Loop ? " (a loop)" : u.Failures > 0 ? " (silent)" : "")))
            : "; no upstream";
        return string.Join(", ", dns.Listening) + missing + upstreams;
    }

    private static string Limit(long? rate) => rate is { } bytes ? RateText.Of(bytes) : "no limit";

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);

    private static void Memory(StringBuilder text, MemoryReport memory) => Pair(
        text, "memory", $"{SizeText.Of(memory.Resident)} resident ({SizeText.Of(memory.Anonymous)} anonymous, {SizeText.Of(memory.ManagedHeap)} managed heap)");

    private static void Pair(StringBuilder text, string name, string value) => text.Append(name.PadRight(10)).Append(' ').Append(value).Append('\n');

    private static string Through(string? proxy) => proxy is null ? "" : $" through proxy {proxy}";

    private static string Age(long seconds) => DurationText.Short(TimeSpan.FromSeconds(seconds));

    private static string Ago(DateTimeOffset then) => DurationText.Short(DateTimeOffset.UtcNow - then) + " ago";

    private static string RoundTrip(double? milliseconds, string before) => milliseconds is { } value
        ? string.Create(CultureInfo.InvariantCulture, $"{before}{value:0.0} ms")
        : "";
}
