using System.Text.Json;

using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>The text messages a server sends, as bytes.</summary>
internal static class Signals
{
    // A message is at most 64 KiB.
    private const int RevocationPartLength = 32 * 1024;

    public static readonly byte[] Drain = Bytes(new SignalMessage { Type = SignalMessage.Drain });

    public static byte[] Welcome(Session session, string[] udp, string[] addresses, string bootId, string server, string[] servers) => Bytes(new SignalMessage
    {
        Type = SignalMessage.Welcome,
        Session = session.Id.ToString("x16"),
        Key = Convert.ToBase64String(session.Key),
        Udp = udp,
        Addresses = addresses,
        BootId = bootId,
        Server = server,
        Servers = servers,
    });

    public static byte[] Pong(string? t) => Bytes(new SignalMessage { Type = SignalMessage.Pong, T = t });

    public static byte[] Servers(string[] servers) => Bytes(new SignalMessage { Type = SignalMessage.AllServers, Servers = servers });

    /// <summary>A revocation list in as many messages as it takes.</summary>
    public static IEnumerable<byte[]> Revoked(RevocationList list) => RevocationPart.Cut(list, RevocationPartLength).Select(part => Bytes(new SignalMessage
    {
        Type = SignalMessage.Revoked,
        Number = part.Number,
        Part = part.Index,
        Parts = part.Count,
        List = Convert.ToBase64String(part.Bytes.Span),
    }));

    private static byte[] Bytes(SignalMessage message) => JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Default.SignalMessage);
}
