using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel;

/// <summary>One peer as it is now.</summary>
public sealed record PeerStatus
{
    public required NodeName Node { get; init; }

    /// <summary>There is a connection.</summary>
    public required bool Connected { get; init; }

    /// <summary>The path datagrams take; <see cref="PathKind.None"/> without a connection.</summary>
    public required PathKind Path { get; init; }

    /// <summary>The peer's address on a direct path.</summary>
    public IPEndPoint? RemoteAddress { get; init; }

    /// <summary>The server on a relayed one, as configured.</summary>
    public string? Server { get; init; }

    /// <summary>Agent to agent and back, smoothed.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Share of the path's pings that are lost, 0 to 1, smoothed; null on a relay.</summary>
    public double? Loss { get; init; }

    /// <summary>Bytes of datagrams sent, by <see cref="PathKind"/>.</summary>
    public required IReadOnlyDictionary<PathKind, long> BytesSent { get; init; }

    /// <summary>Bytes of datagrams received, by <see cref="PathKind"/>.</summary>
    public required IReadOnlyDictionary<PathKind, long> BytesReceived { get; init; }

    /// <summary>Since when it is connected, or not.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The largest QUIC datagram on the path.</summary>
    public int Mtu { get; init; }

    /// <summary>Service streams and UDP flows.</summary>
    public int OpenStreams { get; init; }

    /// <summary>Why this path.</summary>
    public required string WhyText { get; init; }

    /// <summary>Which of the tunnel's threads it belongs to.</summary>
    internal int Shard { get; init; }
}
