using System.Net;
using EdgeMesh.App.Logging;
using EdgeMesh.Dns;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Tunnel;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Agent;

/// <summary>What the operator wrote for an agent, parsed.</summary>
internal sealed record AgentOptions
{
    public required NodeName Node { get; init; }

    public required string StateDirectory { get; init; }

    /// <summary><c>HOST[:PORT]</c> of each server.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>Null when the node needs none any more.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Folder of YAML, or null.</summary>
    public string? Manifests { get; init; }

    /// <summary>The Kubernetes API, or null.</summary>
    public KubeOptions? Kube { get; init; }

    public bool KeepRules { get; init; }

    public IPEndPoint? MetricsListen { get; init; }

    public LogLevel LogLevel { get; init; }

    public LogFormat LogFormat { get; init; }

    public int TunnelPort { get; init; }

    public bool TunnelDirect { get; init; } = true;

    public bool TunnelPortMapping { get; init; } = true;

    public bool TunnelGuessPorts { get; init; } = true;

    /// <summary>Null: the environment may name one, unless <see cref="NoHttpProxy"/>.</summary>
    public HttpProxy? HttpProxy { get; init; }

    public bool NoHttpProxy { get; init; }

    public IReadOnlyList<IPEndPoint> DnsListen { get; init; } = [];

    public required IReadOnlyList<string> DnsClusterDomains { get; init; }

    public required IReadOnlyList<string> DnsAliasZones { get; init; }

    public IReadOnlyList<StubDomain> DnsStubDomains { get; init; } = [];

    /// <summary>Null: private addresses.</summary>
    public IReadOnlyList<IPNetwork>? DnsRecursionFor { get; init; }

    public int DnsClientRate { get; init; }

    public bool DnsServeCluster { get; init; }

    public IReadOnlyList<ServiceName> DnsClusterServices { get; init; } = [];

    public IReadOnlyList<IPEndPoint> DnsUpstreams { get; init; } = [];

    public IPNetwork? ServiceCidr { get; init; }

    public IReadOnlyList<IPNetwork> RoutableCidrs { get; init; } = [];

    public ServiceFilterMode FilterMode { get; init; }

    public Balancing Balancing { get; init; }
}
