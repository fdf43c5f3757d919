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

    public Balancing Balancing { get; init; }

    /// <summary>
    /// Endpoints the kernel draws itself. With affinity and where the draw needs more than chance there are none, as the agent keeps
    /// the tables and takes the whole Service; but not where clients keep their address, which the agent could not promise.
    /// </summary>
    public IEnumerable<PlannedEndpoint> Arms => Front == PortFront.LocalOnly ? Outside.Endpoints : Endpoints.Where(IsArm);

    public int KernelCount
    {
        get
        {
            if (Front == PortFront.LocalOnly)
            {
                return Outside.Endpoints.Length;
            }

            int count = 0;
            foreach (PlannedEndpoint endpoint in Endpoints)
            {
                count += IsArm(endpoint) ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>Over how many the kernel and the agent draw together.</summary>
    public int DrawnCount => Front == PortFront.LocalOnly ? Outside.Endpoints.Length
        : Balancing == Balancing.Nearest && KernelCount is > 0 and int nearest ? nearest
        : Endpoints.Length;

    /// <summary>What the rules say about it; the agent's arm goes by <see cref="Action"/>.</summary>
    public PortAction RuleAction => Front == PortFront.LocalOnly ? Outside.Action : Action;

    /// <summary>True where every client that reaches the agent may get any endpoint, as the kernel has drawn nothing.</summary>
    public bool AgentTakesAll =>
        Affinity is not null || Front == PortFront.LocalOnly || Balancing != Balancing.Spread || KernelCount == Endpoints.Length;

    /// <summary>True where a packet can reach the agent: a remote endpoint, affinity, or a local one that may call itself.</summary>
    public bool NeedsAgent => Action == PortAction.Serve
        && (Affinity is not null || Front == PortFront.LocalOnly || Balancing is Balancing.LeastLoaded or Balancing.ClientHash
            || Endpoints.Any(e => e.Placement is Placement.Remote or Placement.Local));

    public bool SameAs(PortPlan other) =>
        this with { Endpoints = [], Outside = ChosenArms.None, Sources = [] } == other with { Endpoints = [], Outside = ChosenArms.None, Sources = [] }
        && Endpoints.SequenceEqual(other.Endpoints)
        && Outside.Action == other.Outside.Action && Outside.Endpoints.SequenceEqual(other.Outside.Endpoints)
        && Sources.SequenceEqual(other.Sources);

    private bool IsArm(PlannedEndpoint endpoint) => endpoint.IsKernel && Affinity is null && Balancing switch
    {
        Balancing.Spread => true,

        // On this node, or else those that its kernel reaches.
        Balancing.Nearest => endpoint.Placement == Placement.Local || !Endpoints.Any(e => e.Placement == Placement.Local),
        _ => false,
    };
}
