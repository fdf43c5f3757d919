using System.Collections.Immutable;

namespace EdgeMesh.Server;

/// <summary>What a server is doing; numbers since its start.</summary>
/// <param name="Listen">TCP and UDP addresses it is bound to.</param>
/// <param name="SecondUdpPort">The UDP port for STUN alone.</param>
/// <param name="Advertise">How agents reach it.</param>
/// <param name="JoinedTo">The first server, whose registry this one copies; null where this is the first.</param>
/// <param name="OtherServers">The mesh's other servers, <c>ID=host:port</c>.</param>
/// <param name="UdpBytes">Relayed to UDP legs, headers included.</param>
/// <param name="SocketBytes">Relayed to WebSocket legs, headers included.</param>
/// <param name="Dropped">Frames by reason; reasons that never occurred are left out.</param>
/// <param name="Limits">In force.</param>
/// <param name="FairShare">Bytes a second that one agent may send now, while all want more than there is; else null.</param>
/// <param name="QueuedBytes">Waiting for all WebSockets.</param>
/// <param name="AbandonedHandshakes">Clients that had given up when their turn for TLS came.</param>
public sealed record ServerStatusReport(
    ImmutableArray<System.Net.IPEndPoint> Listen, int SecondUdpPort, ImmutableArray<string> Advertise, string CaFingerprint,
    string? JoinedTo, ImmutableArray<string> OtherServers, DateTimeOffset StartedAt, ImmutableArray<AgentStatus> Agents, long UdpBytes, long UdpFrames, long SocketBytes, long SocketFrames,
    long StunAnswers, ImmutableSortedDictionary<string, long> Dropped,
    RelayLimits Limits, long? FairShare, long QueuedBytes, long AbandonedHandshakes);
