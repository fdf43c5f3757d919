using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>Where frames for one server go now and what is known of it, for all threads: replaced as a whole when something changes.</summary>
/// <param name="Session">Null while unconnected.</param>
/// <param name="Server">Where its UDP leg goes; the default value if it has none.</param>
/// <param name="IsUdpBound">The leg works: frames take it.</param>
/// <param name="UdpRoundTrip">ns; 0 if not measured.</param>
/// <param name="IsOrphan">The WebSocket is gone: it takes no frames.</param>
/// <param name="IsSuspect">The leg, which carries the data, owes an answer.</param>
/// <param name="IsDraining">The server is about to stop: it relays only for those who have no other.</param>
internal sealed record RelayWay(
    RelaySession? Session, WireAddress Server, bool IsUdpBound, long UdpRoundTrip, bool IsOrphan, bool IsSuspect, bool IsDraining)
{
    public static RelayWay None { get; } = new(null, default, false, 0, false, false, false);

    public bool IsConnected => Session is not null;

    public PathKind Kind => Session is null ? PathKind.None : IsUdpBound ? PathKind.RelayUdp : IsOrphan ? PathKind.None : PathKind.RelayTls;

    /// <summary>ns; 0 if not measured.</summary>
    public long RoundTrip => UdpRoundTrip > 0 ? UdpRoundTrip : Session?.RoundTrip ?? 0;

    /// <summary>The same for all agents that are connected to this run of this server; 0 while unconnected.</summary>
    public ulong ServerId => Session?.ServerId ?? 0;

    /// <summary>The largest payload that can reach us through this server now.</summary>
    public int ReceiveLimit => IsConnected && !IsUdpBound ? RelayFrame.MaxWebSocketPayload : RelayFrame.MaxUdpPayload;
}
