namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh status --json</c>.</summary>
internal sealed record AgentReport
{
    public string Role { get; init; } = "agent";

    public required string Node { get; init; }

    public required string Version { get; init; }

    /// <summary>Another one after each start; null until the tunnel runs.</summary>
    public string? BootId { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required long UptimeSeconds { get; init; }

    /// <summary>Null when ready; else what is not done yet or wrong, in words.</summary>
    public string? NotReady { get; init; }

    public SourceReport? Source { get; init; }

    public required ModelReport Model { get; init; }

    public required IReadOnlyList<ServerLegReport> Servers { get; init; }

    public required PeerCountReport Peers { get; init; }

    /// <summary>Null until DNS runs.</summary>
    public DnsReport? Dns { get; init; }

    public required bool ProxyRunning { get; init; }

    public required MemoryReport Memory { get; init; }
}

/// <summary>Where the model comes from, and what is to be mended there.</summary>
internal sealed record SourceReport(
    string Source, bool Synced, DateTimeOffset? LastChange, int Files, IReadOnlyList<SourceProblemReport> Problems);

internal sealed record SourceProblemReport(string File, int Line, string Reason);

/// <summary>The DNS server: where it answers, which listen addresses are missing on this machine, and whom it asks.</summary>
internal sealed record DnsReport(
    IReadOnlyList<string> Listening, IReadOnlyList<string> Missing, IReadOnlyList<UpstreamReport> Upstreams, int CachedAnswers, long CacheBytes);

/// <summary>One upstream DNS server.</summary>
/// <param name="Server">Its address.</param>
/// <param name="LatencyMs">Null before the first answer.</param>
/// <param name="Failures">Attempts without an answer since the last one.</param>
/// <param name="Loop">It leads back to this server and is not asked.</param>
internal sealed record UpstreamReport(string Server, double? LatencyMs, int Failures, bool Loop);

/// <summary>How much the mesh knows.</summary>
internal sealed record ModelReport(int Services, int Endpoints, int Nodes);

/// <summary>One server, as this agent sees it.</summary>
internal sealed record ServerLegReport
{
    /// <summary>As configured.</summary>
    public required string Server { get; init; }

    public string? Address { get; init; }

    /// <summary>The HTTP proxy that it is reached through, <c>HOST:PORT</c>, or null.</summary>
    public string? Proxy { get; init; }

    public required bool Connected { get; init; }

    /// <summary><c>udp</c>, <c>tls</c> or <c>none</c>: what relayed datagrams of this node take.</summary>
    public required string Leg { get; init; }

    public double? RoundTripMs { get; init; }

    /// <summary>This node's address as the server sees it.</summary>
    public string? ObservedAddress { get; init; }

    /// <summary>The NAT maps by destination: a direct path is hard to get.</summary>
    public required bool MapsByDestination { get; init; }

    public required DateTimeOffset Since { get; init; }

    public string? Why { get; init; }
}

/// <summary>Peers by the path their traffic takes now.</summary>
internal sealed record PeerCountReport(int Connected, int Lan, int Direct, int RelayUdp, int RelayTls);
