using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>A usable endpoint of a Service port. <see cref="Node"/> is null only for <see cref="Placement.OffMesh"/>.</summary>
internal sealed record PlannedEndpoint(IPEndPoint Address, NodeName? Node, Placement Placement)
{
    public bool IsKernel => Placement != Placement.Remote;
}
