using System.Collections.Immutable;

namespace EdgeMesh.Model;

/// <summary>What differs between two snapshots: the names to look at again.</summary>
/// <param name="Old">The snapshot the reader had seen before.</param>
/// <param name="New">The snapshot to serve from now on.</param>
/// <param name="Services">Services that were added, changed or removed, their endpoints included.</param>
/// <param name="Nodes">Nodes that were added, changed or removed.</param>
public sealed record MeshChange(
    MeshSnapshot Old, MeshSnapshot New, ImmutableHashSet<ServiceName> Services, ImmutableHashSet<NodeName> Nodes);
