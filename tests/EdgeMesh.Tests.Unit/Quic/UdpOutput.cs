using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>A path that is one socket and one address.</summary>
internal sealed record UdpOutput(UdpSocket Socket, UdpAddress To, int MaxDatagramSize = 1400) : IQuicOutput
{
    public int HeaderRoom => 0;

    public bool Send(Span<byte> train, int segmentSize) => Socket.Send(To, train, segmentSize) != SendResult.WouldBlock;
}
