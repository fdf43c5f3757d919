using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Udp;

/// <summary>
/// Receives datagrams of one kind and one sender, back to back: each <paramref name="segmentSize"/> long but the last, which may
/// be shorter. May be overwritten, valid only during the call.
/// </summary>
internal delegate void PacketHandler(PacketKind kind, in WireAddress from, Span<byte> train, int segmentSize);
