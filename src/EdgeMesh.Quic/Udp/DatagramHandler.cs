namespace EdgeMesh.Quic;

/// <summary>
/// Receives one or more datagrams of one sender, back to back: each is <paramref name="segmentSize"/> long but the last, which
/// may be shorter. A datagram without payload comes as an empty span. The span may be overwritten by the callee and is valid only during the call.
/// </summary>
public delegate void DatagramHandler(in UdpAddress from, Span<byte> train, int segmentSize);
