using System.Net;

namespace EdgeMesh.Tunnel;

/// <summary>One server as it is now.</summary>
public sealed record ServerStatus
{
    /// <summary>As configured.</summary>
    public required string Server { get; init; }

    public required bool Connected { get; init; }

    /// <summary>Address and port its WebSocket goes to; through a proxy its name and port.</summary>
    public string? Address { get; init; }

    /// <summary>The HTTP proxy its WebSocket goes through, or null.</summary>
    public string? Proxy { get; init; }

    /// <summary>Relayed datagrams go over UDP; else through the WebSocket.</summary>
    public bool Udp { get; init; }

    /// <summary>This node's address as the server sees it.</summary>
    public IPEndPoint? ObservedAddress { get; init; }

    /// <summary>The server's second port sees another address: the NAT maps by destination, punching is hard.</summary>
    public bool MapsByDestination { get; init; }

    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Since when it is connected, or not.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>State, or why it is not connected.</summary>
    public required string WhyText { get; init; }
}
