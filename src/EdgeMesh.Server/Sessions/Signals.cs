using System.Text.Json;

using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>The text messages a server sends, as bytes.</summary>
internal static class Signals
{
    public static readonly byte[] Drain = Bytes(new SignalMessage { Type = SignalMessage.Drain });

    public static byte[] Welcome(Session session, string[] udp, string[] addresses, string bootId) => Bytes(new SignalMessage
    {
        Type = SignalMessage.Welcome,
        Session = session.Id.ToString("x16"),
        Key = Convert.ToBase64String(session.Key),
        Udp = udp,
        Addresses = addresses,
        BootId = bootId,
    });

    public static byte[] Pong(string? t) => Bytes(new SignalMessage { Type = SignalMessage.Pong, T = t });

    public static byte[] Revoked(string[] serials) => Bytes(new SignalMessage { Type = SignalMessage.Revoked, Serials = serials });

    private static byte[] Bytes(SignalMessage message) => JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Default.SignalMessage);
}
