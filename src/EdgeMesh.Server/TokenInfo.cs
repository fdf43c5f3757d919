using EdgeMesh.Model;

namespace EdgeMesh.Server;

/// <summary>A join token as <c>token list</c> shows it; the secret is not kept.</summary>
/// <param name="Node">The only node that may use it; null for any.</param>
public sealed record TokenInfo(
    string Id, NodeName? Node, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, int Uses, int MaxUses);
