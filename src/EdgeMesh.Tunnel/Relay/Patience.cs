namespace EdgeMesh.Tunnel.Relay;

/// <summary>How long an agent waits for a server in the steps of a connection, and how often it asks whether that is still there.</summary>
internal static class Patience
{
    /// <summary>TLS and the request, once TCP stands.</summary>
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(8);

    /// <summary>The first message, once the WebSocket stands.</summary>
    public static readonly TimeSpan Welcome = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan PingPause = TimeSpan.FromSeconds(20);
}
