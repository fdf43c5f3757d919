using System.Net;

using EdgeMesh.Model;

namespace EdgeMesh.Server;

/// <summary>One connected agent.</summary>
/// <param name="UdpAddress">Where its UDP leg is bound; null without one.</param>
/// <param name="IsUdp">Frames for it take the UDP leg now.</param>
/// <param name="QueuedBytes">Waiting for its WebSocket.</param>
public sealed record AgentStatus(NodeName Node, IPEndPoint? UdpAddress, bool IsUdp, int QueuedBytes);
