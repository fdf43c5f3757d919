using EdgeMesh.Server.State;

namespace EdgeMesh.Server.Join;

/// <summary>What has changed in the registry. Revocations first, then nodes: a forgotten name may have enrolled anew.</summary>
/// <param name="At">Up to when this is all, ticks of the first server's clock.</param>
/// <param name="Nodes">New and changed ones.</param>
/// <param name="Revocations">All above the first number that the change touched.</param>
/// <param name="RevocationList">Signed, base64.</param>
/// <param name="Servers">All servers of the mesh, <c>ID=host:port</c>.</param>
internal sealed record RegistryAnswer(
    long At,
    IReadOnlyList<NodeRecord> Nodes,
    IReadOnlyList<RevocationRecord> Revocations,
    string RevocationList,
    IReadOnlyList<string> Servers);
