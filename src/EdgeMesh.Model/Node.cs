using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Model;

/// <summary>A Kubernetes node, as far as the mesh uses it.</summary>
public sealed record Node
{
    public required NodeName Name { get; init; }

    /// <summary><c>status.addresses</c> of type InternalIP and ExternalIP, in their order.</summary>
    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    public ImmutableArray<IPNetwork> PodCidrs { get; init; } = [];

    /// <summary>Label <c>topology.kubernetes.io/zone</c>.</summary>
    public string? Zone { get; init; }

    /// <summary>Label <c>node-role.kubernetes.io/edge</c> is present (KubeEdge sets it).</summary>
    public bool IsEdge { get; init; }
}
