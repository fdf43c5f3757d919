namespace EdgeMesh.Server.State;

/// <summary>File <c>tokens/ID.json</c>. Knows the SHA-256 of the secret, never the secret.</summary>
internal sealed record TokenRecord
{
    public required string Id { get; init; }

    public required string SecretHash { get; init; }

    /// <summary>The only node that may enrol with it; null for any.</summary>
    public string? Node { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required int MaxUses { get; init; }

    /// <summary>For servers that join, not for nodes.</summary>
    public bool ForServer { get; init; }

    public required IReadOnlyList<TokenUse> Uses { get; init; }
}
