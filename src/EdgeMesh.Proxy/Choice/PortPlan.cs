using System.Collections.Immutable;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>What happens to one port of one clusterIP: the input of the rules and of the balancer.</summary>
internal sealed record PortPlan(
    PortKey Key, ServiceName Service, PortAction Action, ImmutableArray<PlannedEndpoint> Endpoints, TimeSpan? Affinity)
{
    /// <summary>Endpoints the kernel draws itself. With affinity there are none: the agent keeps the table and takes the whole Service.</summary>
    public int KernelCount { get; } = Affinity is null ? Endpoints.Count(e => e.IsKernel) : 0;

    /// <summary>True where a packet can reach the agent: a remote endpoint, affinity, or a local one that may call itself.</summary>
    public bool NeedsAgent { get; } = Action == PortAction.Serve
        && (Affinity is not null || Endpoints.Any(e => e.Placement is Placement.Remote or Placement.Local));

    public bool SameAs(PortPlan other) =>
        this with { Endpoints = [] } == other with { Endpoints = [] } && Endpoints.SequenceEqual(other.Endpoints);
}
