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

    /// <summary>revoked: serial numbers in hex.</summary>
    public string[]? Serials { get; init; }
}
