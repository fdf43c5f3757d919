namespace EdgeMesh.Server.State;

/// <summary>File <c>nodes/MESHADDRESS.json</c>: a name may be longer than a file name, and two names of one address cannot both be.</summary>
internal sealed record NodeRecord
{
    public required string Name { get; init; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo, hex.</summary>
    public required string Key { get; init; }

    /// <summary>Certificates that count. One that is not here is none of ours (any more).</summary>
    public required IReadOnlyList<IssuedSerial> Serials { get; init; }

    public required DateTimeOffset EnrolledAt { get; init; }

    public required DateTimeOffset RenewedAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }
}
