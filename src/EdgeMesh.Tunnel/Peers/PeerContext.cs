using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>What all peers of this agent share. In the loop only.</summary>
internal sealed class PeerContext(
    TunnelOptions options,
    Reactor reactor,
    UdpPort port,
    StreamAcceptor acceptor,
    MeshClock clock,
    Revocations revocations,
    Func<NodeName, Peer> peerOf,
    ILogger log)
{
    public TunnelOptions Options => options;

    public NodeName Self => options.Self;

    public MeshAddress SelfAddress { get; } = MeshAddress.Of(options.Self);

    public Reactor Reactor => reactor;

    public UdpPort Port => port;

    public MeshClock Clock => clock;

    public StreamAcceptor Acceptor => acceptor;

    public ILogger Log => log;

    public long Now => reactor.Now;

    /// <summary>Tells one run of this agent from the next.</summary>
    public Guid BootId { get; } = Guid.NewGuid();

    public QuicEndpoint Endpoint { get; set; } = null!;

    public IReadOnlyList<RelayLink> Links { get; set; } = [];

    /// <summary>The link with that id, if the server is still in use.</summary>
    public RelayLink? Link(int id) => Links.FirstOrDefault(link => link.Id == id);

    /// <summary>Where this node might be reached.</summary>
    public IReadOnlyList<Candidate> Candidates { get; set; } = [];

    /// <summary>Servers see us at another port each, and no port is mapped to ours: nobody can know where to reach us.</summary>
    public bool IsBehindHardNat { get; set; }

    /// <summary>Guesses with many sockets under way.</summary>
    public int Guesses { get; set; }

    public LocalAddresses Local { get; set; } = LocalAddresses.None;

    /// <summary>The largest relayed payload that can reach us now, whichever server it takes.</summary>
    public ushort RelayLimit
    {
        get
        {
            int limit = RelayFrame.MaxWebSocketPayload;
            bool any = false;
            foreach (RelayLink link in Links)
            {
                any |= link.IsConnected;
                limit = link.IsConnected ? Math.Min(limit, link.ReceiveLimit) : limit;
            }

            return (ushort)(any ? limit : RelayFrame.MaxUdpPayload);
        }
    }

    /// <summary>How far the servers are that we are connected to.</summary>
    public IReadOnlyList<ServerDistance> Servers =>
    [
        .. Links.Where(link => link.ServerId != 0).Take(ControlMessage.MaxServers)
            .Select(link => new ServerDistance(link.ServerId, (uint)Math.Min(link.RoundTrip / 1000, uint.MaxValue))),
    ];

    public Peer PeerOf(NodeName node) => peerOf(node);

    public Revocations Revocations => revocations;

    public bool IsRevoked(string serial) => revocations.Current.Contains(serial);

    /// <summary>Takes over a list that a peer has sent.</summary>
    public required Action<byte[], string> OnRevocations { get; init; }
}
