using EdgeMesh.App.Ops;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>A network check as a report, and what an operator can do about it. Pure.</summary>
internal static class NetcheckAdvice
{
    public static NetcheckReport Of(string node, NetworkCheck check)
    {
        bool udp = check.Servers.Any(server => server.Status.Udp);
        return new NetcheckReport
        {
            Node = node,
            UdpPort = check.UdpPort,
            Nat = check.Mapping switch
            {
                NatMapping.None => "none",
                NatMapping.EndpointIndependent => "endpoint-independent",
                NatMapping.DestinationDependent => "destination-dependent",
                _ => "unknown",
            },
            Udp = udp,
            Ipv6 = check.HasIPv6,
            MappedPort = check.MappedPort,
            Mtu = check.Mtu,
            Addresses = check.Addresses,
            Servers = [.. check.Servers.Select(Server)],
            Advice = [.. Advice(check, udp)],
        };
    }

    private static NetcheckServer Server(ServerCheck server) => new(
        server.Status.Server, server.Status.Connected, !server.Status.Connected ? "none" : server.Status.Udp ? "udp" : "tls",
        server.Status.RoundTrip?.TotalMilliseconds, server.Status.ObservedAddress?.ToString(),
        [.. server.Ports.Select(port => new NetcheckPort(port.Address, port.Proxy, port.RoundTrip?.TotalMilliseconds, port.Fault))],
        server.Status.Connected ? null : server.Fault ?? server.Status.WhyText);

    private static IEnumerable<string> Advice(NetworkCheck check, bool udp)
    {
        foreach (ServerCheck server in check.Servers.Where(server => !server.Status.Connected))
        {
            string name = server.Status.Server;
            ServerPortCheck[] proxied = [.. server.Ports.Where(port => port.Proxy is not null)];
            yield return proxied.Length > 0 && proxied.All(port => port.Fault is not null)
                ? $"server {name} is reached neither directly nor through the HTTP proxy {proxied[0].Proxy}: {proxied[^1].Fault}"
                : server.Fault is { } fault && proxied.Length == 0 ? $"server {name} does not resolve ({fault}): correct --server or the node's resolver"
                : server.Ports.All(port => port.Fault is not null) ? $"no TCP port of server {name} answers: is 'edgemesh server' running there, and does a firewall let TCP 20006 or 443 out? If only an HTTP proxy gets out, name it with --tunnel.httpProxy"
                : $"server {name} is reached but not connected: {server.Status.WhyText}";
        }

        foreach (ServerCheck server in check.Servers.Where(server => server.Status.Connected && IsDeafAt443(server)))
        {
            yield return $"server {server.Status.Server} does not answer at TCP 443: nodes whose network lets nothing else out cannot reach it; add --listen 0.0.0.0:443 there";
        }

        if (!udp && check.Servers.Any(server => server.Status.Connected))
        {
            yield return $"UDP to the servers gets no answer: everything is relayed over TLS; let UDP 20006 out (and UDP {check.UdpPort} to peers) for direct paths";
        }

        if (check.Mapping == NatMapping.DestinationDependent && check.MappedPort is null)
        {
            yield return $"the NAT gives every destination another port: direct paths need luck or help; switch on PCP, NAT-PMP or UPnP at the router, forward UDP {check.UdpPort} to this node, or ask for endpoint-independent mapping{(check.HasIPv6 ? "" : " or IPv6, which needs no NAT")}";
        }

        if (check.Mtu is > 0 and < 1400)
        {
            yield return $"a direct path takes only {check.Mtu} bytes a datagram: a tunnel or PPPoE is in between; it works, with more packets";
        }
    }

    private static bool IsDeafAt443(ServerCheck server)
    {
        ServerPortCheck[] tried = [.. server.Ports.Where(port => port.Proxy is null && port.Address.EndsWith(":443", StringComparison.Ordinal))];
        return tried.Length > 0 && tried.All(port => port.Fault is not null);
    }
}
