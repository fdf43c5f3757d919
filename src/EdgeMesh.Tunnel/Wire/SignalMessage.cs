namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// A text message of WebSocket <c>edgemesh.v1</c>: one JSON object; which fields are set follows from <see cref="Type"/>.
/// </summary>
public sealed record SignalMessage
{
    public const string Subprotocol = "edgemesh.v1";
    public const string Welcome = "welcome";
    public const string Ping = "ping";
    public const string Pong = "pong";
    public const string UdpLeg = "udp";
    public const string Drain = "drain";
    public const string Revoked = "revoked";
    public const string AllServers = "servers";

    /// <summary>Close code for a WebSocket whose node has opened a newer one.</summary>
    public const int CloseReplaced = 4001;

    public required string Type { get; init; }

    /// <summary>welcome: 16 hex digits.</summary>
    public string? Session { get; init; }

    /// <summary>welcome: base64, 32 bytes.</summary>
    public string? Key { get; init; }

    /// <summary>welcome: host:port; the first is relay and STUN, the second STUN only.</summary>
    public string[]? Udp { get; init; }

    /// <summary>welcome: every address of this server, to be kept.</summary>
    public string[]? Addresses { get; init; }

    /// <summary>welcome: changes with every start of the server.</summary>
    public string? BootId { get; init; }

    /// <summary>ping and pong: opaque, repeated.</summary>
    public string? T { get; init; }

    /// <summary>udp: this agent's UDP leg works.</summary>
    public bool? Bound { get; init; }

    /// <summary>revoked: number of the revocation list.</summary>
    public uint? Number { get; init; }

    /// <summary>revoked: which piece of the list this is, from 0.</summary>
    public ushort? Part { get; init; }

    /// <summary>revoked: pieces in all.</summary>
    public ushort? Parts { get; init; }

    /// <summary>revoked: the piece, base64.</summary>
    public string? List { get; init; }

    /// <summary>welcome: the server's id, 16 hex digits, the same after a restart.</summary>
    public string? Server { get; init; }

    /// <summary>welcome and servers: all servers of the mesh, each <c>ID=host:port</c>; empty while the sender does not know.</summary>
    public string[]? Servers { get; init; }
}
