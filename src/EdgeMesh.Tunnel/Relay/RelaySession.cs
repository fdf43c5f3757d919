using System.Globalization;
using System.Net;
using System.Text.Json;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>What one WebSocket got from its welcome, and its way out.</summary>
internal sealed class RelaySession(
    ulong id, byte[] key, IReadOnlyList<UdpServer> udpServers, string bootId, ServerWay way, IPAddress? local,
    OutboundQueue outbound, Heartbeat heartbeat)
{
    private long roundTrip;

    public ulong Id => id;

    public byte[] Key => key;

    public IReadOnlyList<UdpServer> UdpServers => udpServers;

    /// <summary>Changes with every start of the server.</summary>
    public string BootId => bootId;

    /// <summary>The boot id's first 16 hex digits: what agents call this run of the server among themselves. 0: it has none.</summary>
    public ulong ServerId { get; } = ulong.TryParse(
        bootId.AsSpan(0, Math.Min(bootId.Length, 16)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong start) ? start : 0;

    /// <summary>The way the WebSocket goes.</summary>
    public ServerWay Way => way;

    /// <summary>Our address that it comes from.</summary>
    public IPAddress? Local => local;

    public Heartbeat Heartbeat => heartbeat;

    public OutboundQueue Outbound => outbound;

    /// <summary>Of the WebSocket, ns. Any thread.</summary>
    public long RoundTrip
    {
        get => Interlocked.Read(ref roundTrip);
        set => Interlocked.Exchange(ref roundTrip, value);
    }

    public void TellUdp(bool bound) => outbound.AddText(
        JsonSerializer.SerializeToUtf8Bytes(new SignalMessage { Type = SignalMessage.UdpLeg, Bound = bound }, WireJson.Default.SignalMessage));
}
