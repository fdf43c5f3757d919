namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh server status --json</c>. Numbers are since the start.</summary>
internal sealed record ServerReport
{
    public string Role { get; init; } = "server";

    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required long UptimeSeconds { get; init; }

    public required IReadOnlyList<string> Listen { get; init; }

    public required int SecondUdpPort { get; init; }

    public required IReadOnlyList<string> Advertise { get; init; }

    /// <summary>SHA-256 of the CA certificate, hex: the last part of every join token stands for it.</summary>
    public required string CaFingerprint { get; init; }

    /// <summary>The first server of the mesh, if this one has joined it.</summary>
    public string? JoinedTo { get; init; }

    /// <summary>The mesh's other servers, <c>ID=host:port</c>.</summary>
    public required IReadOnlyList<string> OtherServers { get; init; }

    public required IReadOnlyList<ConnectedNodeReport> Connected { get; init; }

    public required RelayReport Relay { get; init; }

    public required MemoryReport Memory { get; init; }
}

/// <summary>One line of <c>edgemesh server drain</c>.</summary>
/// <param name="Connected">Agents that are connected.</param>
/// <param name="Relaying">Of them, those of which something was relayed here within the last second.</param>
internal sealed record DrainReport(int Connected, int Relaying);

/// <summary>One agent that is connected to this server.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Address">Where its WebSocket comes from, as this server or a front that it trusts sees it.</param>
/// <param name="Leg"><c>udp</c> or <c>tls</c>: how relayed frames reach it now.</param>
/// <param name="UdpAddress">Where its UDP leg is bound.</param>
/// <param name="QueuedBytes">Waiting for its WebSocket.</param>
internal sealed record ConnectedNodeReport(string Node, string? Address, string Leg, string? UdpAddress, int QueuedBytes);

/// <summary>What was relayed, by the kind of the receiving leg, and what was dropped, by reason.</summary>
/// <param name="QueuedBytes">Waiting for all WebSockets.</param>
/// <param name="FairShare">Bytes a second that one agent may send now; null while there is enough for all.</param>
/// <param name="AbandonedHandshakes">Clients that had given up when their turn for TLS came.</param>
internal sealed record RelayReport(
    long UdpBytes, long UdpFrames, long TlsBytes, long TlsFrames, long StunAnswers, IReadOnlyDictionary<string, long> Dropped,
    long QueuedBytes, long? FairShare, long AbandonedHandshakes, LimitsReport Limits);

/// <summary>The limits in force: bytes, and bytes a second; null is no limit.</summary>
internal sealed record LimitsReport(int MaxAgents, long? AgentRate, long? TotalRate, long AgentQueue, long TotalQueue);
