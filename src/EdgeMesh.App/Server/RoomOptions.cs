using EdgeMesh.Server;

namespace EdgeMesh.App.Server;

/// <summary>The server's options as its room wants them.</summary>
internal static class RoomOptions
{
    public static ServerOptions ToServer(this ServerHostOptions options, string? joinToken) => new()
    {
        StateDirectory = options.StateDirectory,
        Listen = options.Listen,
        SecondUdpPort = options.SecondUdpPort,
        Advertise = options.Advertise,
        ProxyProtocolFrom = options.ProxyProtocolFrom,
        Limits = options.Limits,
        Join = options.Join,
        JoinToken = joinToken,
    };
}
