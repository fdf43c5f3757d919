using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>A Service the mesh serves on this node, with the addresses it takes over.</summary>
internal sealed record ServicePlan(ServiceName Name, ImmutableArray<IPAddress> Addresses, ImmutableArray<PortPlan> Ports);
