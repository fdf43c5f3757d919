using System.Collections.Immutable;

namespace EdgeMesh.Model;

/// <summary>
/// Everything the mesh knows, immutable. The data side reads one reference per packet, query or connection.
/// A change makes a new snapshot that shares all untouched parts with the old one (<see cref="MeshUpdate"/>).
/// </summary>
public sealed class MeshSnapshot
{
    public static readonly MeshSnapshot Empty = new(
        ImmutableDictionary<ServiceName, ServiceState>.Empty, ImmutableDictionary<NodeName, Node>.Empty, isSynced: false);

    internal MeshSnapshot(
        ImmutableDictionary<ServiceName, ServiceState> services, ImmutableDictionary<NodeName, Node> nodes, bool isSynced)
    {
        Services = services;
        Nodes = nodes;
        IsSynced = isSynced;
    }

    public ImmutableDictionary<ServiceName, ServiceState> Services { get; }

    public ImmutableDictionary<NodeName, Node> Nodes { get; }

    /// <summary>
    /// False until Services <b>and</b> EndpointSlices have been read once. Before that no rule is written and DNS answers SERVFAIL.
    /// </summary>
    public bool IsSynced { get; }
}
