using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>Through a server, over whichever leg works.</summary>
internal sealed class RelayOutput(RelayLink link, UdpPort port, Peer peer) : IQuicOutput
{
    public int HeaderRoom => RelayFrame.HeaderLength;

    public int MaxDatagramSize => link.Kind == PathKind.RelayTls
        ? Math.Min(RelayFrame.MaxWebSocketPayload, peer.RelayLimit)
        : RelayFrame.MaxUdpPayload;

    public bool Send(Span<byte> train, int segmentSize)
    {
        PathKind kind = link.Kind;
        if (!link.Send(port, train, segmentSize, peer.Address))
        {
            return false;
        }

        peer.CountSent(kind, train.Length);
        return true;
    }
}
