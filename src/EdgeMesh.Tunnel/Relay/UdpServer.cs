using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>One host of a server over UDP.</summary>
/// <param name="Relay">Hello and relayed data; STUN too.</param>
/// <param name="Stun">The second port, which tells NAT mappings apart; the default value if there is none.</param>
internal readonly record struct UdpServer(WireAddress Relay, WireAddress Stun);
