using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>A Service the mesh serves on this node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Addresses">clusterIPs, taken over whole and routed to the mesh device.</param>
/// <param name="Ports">Its ports at these and at all other addresses.</param>
internal sealed record ServicePlan(ServiceName Name, ImmutableArray<IPAddress> Addresses, ImmutableArray<PortPlan> Ports)
{
    /// <summary>Port at which a load balancer asks whether this node has endpoints; 0: none.</summary>
    public ushort HealthPort { get; init; }

    /// <summary>What it is told there.</summary>
    public int LocalEndpoints { get; init; }
}
