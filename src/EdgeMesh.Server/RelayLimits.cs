namespace EdgeMesh.Server;

/// <summary>What agents may take of a server. Rates count relayed bytes, headers included, as agents send them.</summary>
public sealed record RelayLimits
{
    public const int DefaultMaxAgents = 10_000;

    /// <summary>A LAN burst of one congestion window; on a slow uplink it is not yet seconds.</summary>
    public const int DefaultAgentQueue = 512 * 1024;

    public const long DefaultTotalQueue = 128 * 1024 * 1024;

    /// <summary>Agents connected at once; one more is refused and tries again. An agent that comes back is not one more.</summary>
    public int MaxAgents { get; init; } = DefaultMaxAgents;

    /// <summary>Bytes a second that one agent may send through the relay; null for no limit.</summary>
    public long? AgentRate { get; init; }

    /// <summary>Bytes a second of all agents together, shared fairly when they want more; null for what the machine can do.</summary>
    public long? TotalRate { get; init; }

    /// <summary>Bytes that may wait for one agent's WebSocket.</summary>
    public int AgentQueue { get; init; } = DefaultAgentQueue;

    /// <summary>Bytes that may wait for all of them.</summary>
    public long TotalQueue { get; init; } = DefaultTotalQueue;
}
