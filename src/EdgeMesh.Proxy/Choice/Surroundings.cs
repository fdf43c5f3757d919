using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Choice;

/// <summary>Everything besides the Service itself that decides how its endpoints are reached from this node.</summary>
internal sealed record Surroundings(
    NodeName Self, ServiceFilterMode FilterMode, IReadOnlyList<IPNetwork> RoutableCidrs,
    ImmutableDictionary<NodeName, Node> Nodes, RouteTable Routes)
{
    public Balancing Balancing { get; init; }

    /// <summary>Where node ports are served: addresses of this host that others reach.</summary>
    public ImmutableArray<IPAddress> NodePortAddresses { get; init; } = [];

    public string? Zone { get; } = Nodes.TryGetValue(Self, out Node? own) ? own.Zone : null;

    /// <summary>Null: leave this endpoint out, nobody here can reach it.</summary>
    public Placement? Place(Endpoint endpoint)
    {
        if (endpoint.Node is not NodeName node)
        {
            return Routes.Find(endpoint.Address) is null ? null : Placement.OffMesh;
        }

        if (node == Self)
        {
            return Placement.Local;
        }

        if (RoutableCidrs.Any(c => c.Contains(endpoint.Address)))
        {
            return Placement.Routable;
        }

        bool isRoutable = Nodes.TryGetValue(node, out Node? known)
            && known.PodCidrs.Any(c => c.Contains(endpoint.Address))
            && Routes.Find(endpoint.Address) is { IsDefault: false, IsPodBridge: false };
        return isRoutable ? Placement.Routable : Placement.Remote;
    }
}
