using EdgeMesh.Quic;

namespace EdgeMesh.Server.Relay;

/// <summary>Where an agent is reached by UDP: its address as the server sees it, and the socket it came to.</summary>
internal sealed record UdpLeg(UdpSocket Socket, UdpAddress Address);
