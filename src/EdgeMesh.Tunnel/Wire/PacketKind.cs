namespace EdgeMesh.Tunnel.Wire;

/// <summary>What a datagram on the one UDP port is, told by its first byte (RFC 9443).</summary>
public enum PacketKind : byte
{
    Unknown,
    Stun,
    Probe,
    RelayData,
    RelayHello,
    RelayHelloAnswer,
    PeerGone,
    HelloWanted,
    Quic,
}
