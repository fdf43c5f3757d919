namespace EdgeMesh.Server.State;

/// <summary>File <c>revocations/NUMBER.json</c>, numbered from 1 in the order of issue.</summary>
internal sealed record RevocationRecord
{
    public required int Number { get; init; }

    public required string Node { get; init; }

    public required string Key { get; init; }

    /// <summary>True: <c>node revoke</c>, this key never enrols again. False: <c>node forget</c>, only the certificates end.</summary>
    public required bool KeyRevoked { get; init; }

    public required IReadOnlyList<IssuedSerial> Serials { get; init; }

    public required DateTimeOffset At { get; init; }
}
