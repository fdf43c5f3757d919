namespace EdgeMesh.App.Ops;

/// <summary>One line of <c>edgemesh peers --json</c>.</summary>
internal sealed record PeerReport
{
    public required string Node { get; init; }

    public required bool Connected { get; init; }

    /// <summary><c>lan</c>, <c>direct</c>, <c>relay-udp</c>, <c>relay-tls</c> or <c>none</c>.</summary>
    public required string Path { get; init; }

    public string? Remote { get; init; }

    public string? Server { get; init; }

    public double? RoundTripMs { get; init; }

    /// <summary>Share of the pings on a direct path that are lost, 0 to 1.</summary>
    public double? Loss { get; init; }

    public int? Mtu { get; init; }

    public DateTimeOffset? Since { get; init; }

    /// <summary>Service connections and flows.</summary>
    public required int OpenStreams { get; init; }

    public required PathBytesReport Sent { get; init; }

    public required PathBytesReport Received { get; init; }

    public string? Why { get; init; }
}

/// <summary>Bytes by path kind, headers of the tunnel included.</summary>
internal sealed record PathBytesReport(long Lan, long Direct, long RelayUdp, long RelayTls)
{
    public long Total => Lan + Direct + RelayUdp + RelayTls;
}

internal sealed record PeersReport(IReadOnlyList<PeerReport> Peers);
