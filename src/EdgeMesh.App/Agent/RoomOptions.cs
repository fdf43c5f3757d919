using EdgeMesh.Dns;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>The agent's options as each room wants its part.</summary>
internal static class RoomOptions
{
    public static TunnelOptions ToTunnel(this AgentOptions options, HttpProxy? proxy) => new()
    {
        Self = options.Node,
        Port = options.TunnelPort,
        Servers = options.Servers,
        StateDirectory = options.StateDirectory,
        SocketMark = MeshDefaults.AgentSocketMark,
        HttpProxy = proxy,
        DisableDirect = !options.TunnelDirect,
        MapPort = options.TunnelPortMapping,
        GuessPorts = options.TunnelGuessPorts,
    };

    public static ProxyOptions ToProxy(this AgentOptions options) => new()
    {
        Self = options.Node,
        KeepRules = options.KeepRules,
        ServiceCidr = options.ServiceCidr,
        RoutableCidrs = options.RoutableCidrs,
        FilterMode = options.FilterMode,
        Balancing = options.Balancing,
    };

    public static DnsOptions ToDns(this AgentOptions options) => new()
    {
        StubDomains = options.DnsStubDomains,
        RecursionFor = options.DnsRecursionFor ?? new DnsOptions().RecursionFor,
        ClientRate = options.DnsClientRate,
        ListenAddresses = options.DnsListen,
        ClusterDomains = options.DnsClusterDomains,
        AliasZones = options.DnsAliasZones,
        Upstreams = options.DnsUpstreams,
        SocketMark = MeshDefaults.AgentSocketMark,
    };
}
