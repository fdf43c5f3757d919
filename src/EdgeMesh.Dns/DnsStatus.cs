using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Dns;

/// <summary>State of the DNS server, for the operator.</summary>
/// <param name="IsSynced">The first complete snapshot is served; until then cluster names get SERVFAIL.</param>
/// <param name="Services">Services that can be resolved.</param>
/// <param name="Listening">Addresses answered on now.</param>
/// <param name="Missing">Listen addresses that are not on this machine (yet).</param>
/// <param name="Upstreams">Servers for all other names, in the order of preference.</param>
/// <param name="CachedAnswers">Answers of upstreams kept.</param>
/// <param name="CacheBytes">Memory they take.</param>
public sealed record DnsStatus(
    bool IsSynced,
    int Services,
    ImmutableArray<IPEndPoint> Listening,
    ImmutableArray<IPEndPoint> Missing,
    ImmutableArray<UpstreamStatus> Upstreams,
    int CachedAnswers,
    long CacheBytes);
