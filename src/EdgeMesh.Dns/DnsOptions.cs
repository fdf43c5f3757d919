using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>What the operator wrote about DNS.</summary>
public sealed record DnsOptions
{
    /// <summary>Addresses to answer on, UDP and TCP. No wildcards: an answer must come from the address that was asked.</summary>
    public IReadOnlyList<IPEndPoint> ListenAddresses { get; init; } = [new(MeshDefaults.MeshAddress, 53)];

    /// <summary>Domains of the cluster, at least one; reverse names are answered in the first.</summary>
    public IReadOnlyList<string> ClusterDomains { get; init; } = ["cluster.local"];

    /// <summary>Short forms beside them: <c>service.ALIAS</c> in namespace default and <c>service.namespace.ALIAS</c>.</summary>
    public IReadOnlyList<string> AliasZones { get; init; } = ["cluster.local.service"];

    /// <summary>Domains that other servers know.</summary>
    public IReadOnlyList<StubDomain> StubDomains { get; init; } = [];

    /// <summary>Clients for whom names outside the cluster are looked up, beside this machine; all others get REFUSED.</summary>
    public IReadOnlyList<IPNetwork> RecursionFor { get; init; } = ClientGate.PrivateNetworks;

    /// <summary>Questions a second that one client address may cause upstream; a burst of twice as many passes. 0: no limit.</summary>
    public int ClientRate { get; init; } = 500;

    /// <summary>Servers for all other names; empty takes those of <see cref="ResolvConfPath"/> and follows its changes.</summary>
    public IReadOnlyList<IPEndPoint> Upstreams { get; init; } = [];

    /// <summary>File that names the upstream servers.</summary>
    public string ResolvConfPath { get; init; } = ResolvConf.DefaultPath;

    /// <summary>Bound of the cache of upstream answers.</summary>
    public long CacheBytes { get; init; } = 4 << 20;

    /// <summary>TTL of cluster names.</summary>
    public TimeSpan Ttl { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A question no upstream has answered by then fails.</summary>
    public TimeSpan UpstreamTimeout { get; init; } = TimeSpan.FromMilliseconds(1900);

    /// <summary>How long past its TTL an answer is kept for the case that the upstreams are silent.</summary>
    public TimeSpan ServeStale { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A question whose old answer is known waits this long for a new one.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Open TCP connections of clients, all listen addresses together; one client address may have a quarter of them.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>An idle TCP connection of a client is closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Questions under way to upstreams; more fail at once.</summary>
    public int MaxQuestions { get; init; } = 1024;

    /// <summary>Threads per listen address that answer UDP.</summary>
    public int Threads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 2);

    /// <summary>SO_MARK of the sockets towards upstreams; 0 sets none.</summary>
    public int SocketMark { get; init; } = MeshDefaults.AgentSocketMark;

    /// <exception cref="MeshException">With the option, its value and the remedy.</exception>
    internal void Check()
    {
        foreach (IPEndPoint address in ListenAddresses)
        {
            if (address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any))
            {
                throw new MeshException(
                    MeshExit.Usage, $"dns listen address {address} is a wildcard: give the addresses to answer on, for example {MeshDefaults.MeshAddress}:53");
            }
        }

        if (ClusterDomains.Count == 0)
        {
            throw new MeshException(MeshExit.Usage, "dns has no cluster domain: give one, for example cluster.local");
        }

        foreach (string domain in ClusterDomains)
        {
            CheckZone("cluster domain", domain);
        }

        foreach (string alias in AliasZones)
        {
            CheckZone("alias zone", alias);
        }

        foreach (StubDomain stub in StubDomains)
        {
            if (!DnsName.IsSubdomain(stub.Domain) || stub.Servers.Count == 0)
            {
                throw new MeshException(MeshExit.Usage, $"dns stub domain '{stub.Domain}' needs a domain and at least one server");
            }
        }

        if (Ttl < TimeSpan.Zero || Ttl > TimeSpan.FromHours(1))
        {
            throw new MeshException(MeshExit.Usage, $"dns ttl {Ttl} is out of range: give 0 to 3600 seconds");
        }
    }

    // Longer ones would leave no room for `_port._proto.endpoint.service.namespace.svc`.
    private static void CheckZone(string what, string zone)
    {
        if (zone.Length > 50 || !DnsName.IsSubdomain(zone))
        {
            throw new MeshException(
                MeshExit.Usage, $"dns {what} '{zone}' is not a domain: lower-case letters, digits, '-' and '.', at most 50 characters");
        }
    }
}
