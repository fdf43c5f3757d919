using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Model;

/// <summary>A port of a slice; matched to a Service port by name <b>and</b> protocol. Null <see cref="Port"/> means all ports.</summary>
public sealed record EndpointPort(string Name, TransportProtocol Protocol, ushort? Port);

/// <summary>One endpoint of a slice (<c>discovery.k8s.io/v1</c>), conditions already defaulted: ready and serving true, terminating false.</summary>
public sealed record Endpoint
{
    public required IPAddress Address { get; init; }

    /// <summary>Null for endpoints without nodeName: dialled by the kernel from this node, never through the tunnel.</summary>
    public NodeName? Node { get; init; }

    public string? Hostname { get; init; }

    public bool IsReady { get; init; } = true;

    public bool IsServing { get; init; } = true;

    public bool IsTerminating { get; init; }

    public string? Zone { get; init; }

    public ImmutableArray<string> ZoneHints { get; init; } = [];

    public ImmutableArray<NodeName> NodeHints { get; init; } = [];

    /// <summary>Name of the Pod behind it (<c>targetRef</c> of kind Pod).</summary>
    public string? PodName { get; init; }
}

/// <summary>An EndpointSlice that belongs to a Service (label <c>kubernetes.io/service-name</c>) with IPv4 or IPv6 addresses.</summary>
public sealed record EndpointSlice
{
    /// <summary><c>namespace/name</c> of the slice itself.</summary>
    public required string Key { get; init; }

    public required ServiceName Service { get; init; }

    public AddressFamily Family { get; init; } = AddressFamily.InterNetwork;

    public ImmutableArray<EndpointPort> Ports { get; init; } = [];

    public ImmutableArray<Endpoint> Endpoints { get; init; } = [];
}
