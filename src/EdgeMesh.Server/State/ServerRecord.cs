namespace EdgeMesh.Server.State;

/// <summary>File <c>servers/ID.json</c> of the first server: one that has joined it.</summary>
internal sealed record ServerRecord
{
    /// <summary>First 16 hex digits of <see cref="Key"/>.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo, hex.</summary>
    public required string Key { get; init; }

    /// <summary>Certificates that count.</summary>
    public required IReadOnlyList<IssuedSerial> Serials { get; init; }

    /// <summary><c>host:port</c> of HTTPS, as the server says itself.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    public static string IdOf(string key) => key[..16];
}
