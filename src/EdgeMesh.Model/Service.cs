using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Model;

public enum ServiceType : byte
{
    ClusterIP,
    NodePort,
    LoadBalancer,
    ExternalName,
}

public enum TrafficPolicy : byte
{
    Cluster,
    Local,
}

public enum TrafficDistribution : byte
{
    None,
    PreferSameZone,
    PreferSameNode,
}

/// <summary>One port of a Service. <see cref="NodePort"/> is 0 where there is none; <see cref="Name"/> is empty for an unnamed port.</summary>
public sealed record ServicePort(string Name, TransportProtocol Protocol, ushort Port, ushort NodePort = 0);

/// <summary>
/// A Kubernetes Service, as far as the mesh uses it (Kubernetes API reference, <c>core/v1</c> Service).
/// Unset fields have their API defaults.
/// </summary>
public sealed record Service
{
    public required ServiceName Name { get; init; }

    /// <summary><c>metadata.uid</c>; empty for Services from a manifest without one.</summary>
    public string Uid { get; init; } = "";

    public ServiceType Type { get; init; }

    /// <summary>Cluster addresses by family, at most one each; empty for headless and ExternalName Services.</summary>
    public ImmutableArray<IPAddress> ClusterIPs { get; init; } = [];

    /// <summary><c>clusterIP: None</c>.</summary>
    public bool IsHeadless { get; init; }

    public ImmutableArray<ServicePort> Ports { get; init; } = [];

    public string? ExternalName { get; init; }

    public bool PublishNotReadyAddresses { get; init; }

    /// <summary>Time-out of <c>sessionAffinity: ClientIP</c>; null without affinity.</summary>
    public TimeSpan? ClientIPAffinity { get; init; }

    public TrafficPolicy InternalTrafficPolicy { get; init; }

    public TrafficPolicy ExternalTrafficPolicy { get; init; }

    public TrafficDistribution TrafficDistribution { get; init; }

    public ImmutableArray<IPAddress> ExternalIPs { get; init; } = [];

    public ImmutableArray<IPAddress> LoadBalancerIngress { get; init; } = [];

    public ImmutableArray<IPNetwork> LoadBalancerSourceRanges { get; init; } = [];

    public ushort HealthCheckNodePort { get; init; }

    /// <summary>Value of label <c>service.kubernetes.io/service-proxy-name</c>: another proxy serves this Service. Null without it.</summary>
    public string? ServiceProxyName { get; init; }

    /// <summary>Label <c>service.kubernetes.io/headless</c> is present.</summary>
    public bool HasHeadlessLabel { get; init; }

    /// <summary>Label <c>service.edgemesh.kubeedge.io/service-proxy-name</c>, EdgeMesh's own filter, is present.</summary>
    public bool HasEdgeMeshFilterLabel { get; init; }
}
