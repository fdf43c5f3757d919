namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh server status --json</c>.</summary>
internal sealed record ServerReport
{
    public string Role { get; init; } = "server";

    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required long UptimeSeconds { get; init; }

    public required IReadOnlyList<string> Listen { get; init; }

    public required IReadOnlyList<string> Advertise { get; init; }

    public required int Nodes { get; init; }

    public required IReadOnlyList<ConnectedNodeReport> Connected { get; init; }

    public required long RelayedBytes { get; init; }

    public required MemoryReport Memory { get; init; }
}

/// <summary>One agent that is connected to this server.</summary>
internal sealed record ConnectedNodeReport(string Node, string Leg, string? Remote, DateTimeOffset Since);
