using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// The way back to whoever sent the datagrams that are being handled: one object for all of them, its route set before each.
/// Carries stateless resets; a connection that is accepted gets an output of its own.
/// </summary>
internal sealed class ReplyOutput(UdpPort port) : IQuicOutput
{
    public Route Route { get; set; }

    public int HeaderRoom => RelayFrame.HeaderLength;

    public int MaxDatagramSize => RelayFrame.MaxUdpPayload;

    public bool Send(Span<byte> train, int segmentSize)
    {
        if (Route.Link is { } link)
        {
            return link.Send(port, train, segmentSize, Route.Relayed);
        }

        for (int at = 0; at < train.Length; at += segmentSize)
        {
            Span<byte> datagram = train[at..Math.Min(train.Length, at + segmentSize)][RelayFrame.HeaderLength..];
            _ = port.Send(Route.Direct, datagram, datagram.Length);
        }

        return true;
    }
}
