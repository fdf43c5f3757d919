using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>An endpoint of a slice with the port that a Service port means there.</summary>
internal readonly record struct EndpointAt(Endpoint Endpoint, ushort Port)
{
    public IPEndPoint Address => new(Endpoint.Address, Port);
}

/// <summary>The usable endpoints of a Service port, or why there is none.</summary>
internal readonly record struct ChosenEndpoints(PortAction Action, ImmutableArray<EndpointAt> Endpoints);
