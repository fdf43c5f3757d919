using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>What happens to one port of one address of a Service: the input of the rules and of the balancer.</summary>
internal sealed record PortPlan(
    PortKey Key, ServiceName Service, PortAction Action, ImmutableArray<PlannedEndpoint> Endpoints, TimeSpan? Affinity)
{
    public PortFront Front { get; init; }

    /// <summary><see cref="PortFront.LocalOnly"/>: what becomes of clients from outside. Inside clients get <see cref="Endpoints"/>.</summary>
    public ChosenArms Outside { get; init; } = ChosenArms.None;

    /// <summary>Clients that may come (<c>loadBalancerSourceRanges</c>); empty: all.</summary>
    public ImmutableArray<IPNetwork> Sources { get; init; } = [];

    /// <summary>
    /// Endpoints the kernel draws itself. With affinity there are none, as the agent keeps the table and takes the whole
    /// Service; but not where clients keep their address, which the agent could not promise.
    /// </summary>
    public IEnumerable<PlannedEndpoint> Arms => Front == PortFront.LocalOnly ? Outside.Endpoints
        : Affinity is null ? Endpoints.Where(e => e.IsKernel) : [];

    public int KernelCount => Front == PortFront.LocalOnly ? Outside.Endpoints.Length
        : Affinity is null ? Endpoints.Count(e => e.IsKernel) : 0;

    /// <summary>Over how many the kernel and the agent draw together.</summary>
    public int DrawnCount => Front == PortFront.LocalOnly ? Outside.Endpoints.Length : Endpoints.Length;

    /// <summary>What the rules say about it; the agent's arm goes by <see cref="Action"/>.</summary>
    public PortAction RuleAction => Front == PortFront.LocalOnly ? Outside.Action : Action;

    /// <summary>True where every client that reaches the agent may get any endpoint, as the kernel has drawn nothing.</summary>
    public bool AgentTakesAll => Affinity is not null || Front == PortFront.LocalOnly || KernelCount == Endpoints.Length;

    /// <summary>True where a packet can reach the agent: a remote endpoint, affinity, or a local one that may call itself.</summary>
    public bool NeedsAgent => Action == PortAction.Serve
        && (Affinity is not null || Front == PortFront.LocalOnly
            || Endpoints.Any(e => e.Placement is Placement.Remote or Placement.Local));

    public bool SameAs(PortPlan other) =>
        this with { Endpoints = [], Outside = ChosenArms.None, Sources = [] } == other with { Endpoints = [], Outside = ChosenArms.None, Sources = [] }
        && Endpoints.SequenceEqual(other.Endpoints)
        && Outside.Action == other.Outside.Action && Outside.Endpoints.SequenceEqual(other.Outside.Endpoints)
        && Sources.SequenceEqual(other.Sources);
}
