using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>A direct path: datagrams go as they are.</summary>
internal sealed class DirectOutput(UdpPort port, Peer peer, PathKind kind, WireAddress to) : IQuicOutput
{
    public int HeaderRoom => 0;

    public int MaxDatagramSize => peer.Paths.Mtu;

    public bool Send(Span<byte> train, int segmentSize)
    {
        switch (port.Send(to, train, segmentSize))
        {
            case SendResult.WouldBlock:
                return false;
            case SendResult.TooBig:
                peer.Paths.OnTooBig(to, peer.Now);
                peer.Wake();
                return true;
            case SendResult.Unreachable:
                // Not from within the connection's own flush: the path is left at the end of this turn.
                peer.LeaveUnreachable(to);
                return true;
            default:
                peer.CountSent(kind, train.Length);
                return true;
        }
    }
}
