using System.Net;

using EdgeMesh.Model;

namespace EdgeMesh.Server;

/// <summary>One connected agent.</summary>
/// <param name="From">Where its WebSocket comes from, as the server or a trusted front sees it.</param>
/// <param name="UdpAddress">Where its UDP leg is bound; null without one.</param>
/// <param name="IsUdp">Frames for it take the UDP leg now.</param>
/// <param name="QueuedBytes">Waiting for its WebSocket.</param>
public sealed record AgentStatus(NodeName Node, IPAddress? From, IPEndPoint? UdpAddress, bool IsUdp, int QueuedBytes);
