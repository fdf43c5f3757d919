using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>What all peers of a shard share. In the loop only.</summary>
internal sealed class PeerContext(TunnelState state, Shard shard, QuicEndpoint endpoint)
{
    public TunnelOptions Options => state.Options;

    public NodeName Self => state.Options.Self;

    public MeshAddress SelfAddress => state.SelfAddress;

    public Shard Shard => shard;

    public Reactor Reactor => shard.Reactor;

    public UdpPort Port => shard.Port;

    public QuicEndpoint Endpoint => endpoint;

    public MeshClock Clock => state.Identity.Clock;

    public StreamAcceptor Acceptor => state.Acceptor;

    public ILogger Log => state.Log;

    public long Now => shard.Reactor.Now;

    public Guid BootId => state.BootId;

    public bool IsStopping => state.IsStopping;

    public IReadOnlyList<RelayLink> Links => state.Links;

    /// <summary>The link with that id, if the server is still in use.</summary>
    public RelayLink? Link(int id) => Links.FirstOrDefault(link => link.Id == id);

    public IReadOnlyList<Candidate> Candidates => state.Candidates;

    public bool IsBehindHardNat => state.IsBehindHardNat;

    public LocalAddresses Local => state.Local;

    public bool TryTakeGuess() => state.TryTakeGuess();

    public void GiveGuess() => state.GiveGuess();

    /// <summary>The largest relayed payload that can reach us now, whichever server it takes.</summary>
    public ushort RelayLimit
    {
        get
        {
            int limit = RelayFrame.MaxWebSocketPayload;
            bool any = false;
            foreach (RelayLink link in Links)
            {
                RelayWay way = link.Way;
                any |= way.IsConnected;
                limit = way.IsConnected ? Math.Min(limit, way.ReceiveLimit) : limit;
            }

            return (ushort)(any ? limit : RelayFrame.MaxUdpPayload);
        }
    }

    /// <summary>How far the servers are that we are connected to.</summary>
    public IReadOnlyList<ServerDistance> Servers =>
    [
        .. Links.Select(link => link.Way).Where(way => way.ServerId != 0).Take(ControlMessage.MaxServers)
            .Select(way => new ServerDistance(way.ServerId, (uint)Math.Min(way.RoundTrip / 1000, uint.MaxValue))),
    ];

    public Peer PeerOf(NodeName node) => state.Peers.Get(node);

    public Revocations Revocations => state.Revocations;

    public bool IsRevoked(string serial) => state.Revocations.Current.Contains(serial);

    /// <summary>Takes over a list that a peer has sent.</summary>
    public required Action<byte[], string> OnRevocations { get; init; }
}
