using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.PortMap;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel;

/// <summary>
/// Everything that lives on the reactors, put together: the UDP port, the shards with their peers, the servers' links. The links, our
/// own addresses and what follows from them belong to the first shard's thread; changes are told to all. In the first shard's loop
/// only, where nothing else is said.
/// </summary>
internal sealed class TunnelLoop
{
    private readonly TunnelState state;
    private readonly UdpPort port;
    private readonly AddressBook book;
    private readonly Action onServerConnected;
    private int nextLink;
    private long newestSession;
    private PortMapping? mapping;

    public TunnelLoop(
        TunnelOptions options,
        NodeIdentity identity,
        IReadOnlyList<Reactor> reactors,
        Func<TransportProtocol, IPEndPoint, bool> isLocalEndpoint,
        Func<NodeName, IReadOnlyList<IPAddress>> nodeAddresses,
        IReadOnlyList<string> servers,
        Action onServerConnected,
        ILogger log)
    {
        this.onServerConnected = onServerConnected;
        book = AddressBook.Load(options.StateDirectory, log);
        StreamAcceptor acceptor = new(isLocalEndpoint, options.SocketMark ?? 0, FileReserve.Read(), log);
        TunnelMetrics.Answers = acceptor.Answers;
        state = new TunnelState(options, identity, Revocations.Load(options.StateDirectory, identity.Ca, log), acceptor, log);
        IReadOnlyList<WireAddress> Known(NodeName node) =>
        [
            .. book.Find(node).Concat(nodeAddresses(node).Select(a => WireAddress.From(a, MeshDefaults.AgentPort))).Distinct(),
        ];
        state.Peers = new PeerTable(reactors.Count, (node, shard) => state.Shards[shard].NewPeer(node, Known));
        UdpPort[] ports = UdpPort.OpenGroup(
            reactors, options, i => (PacketKind kind, in WireAddress from, Span<byte> train, int segmentSize) =>
                state.Shards[i].OnPackets(kind, from, train, segmentSize),
            i => () => state.Shards[i].OnWritable());
        port = ports[0];
        state.Shards = [.. reactors.Select((reactor, i) => new Shard(state, i, reactor, ports[i], OnServerDatagram, Revoke))];
        foreach (string name in servers)
        {
            AddLink(name);
        }
    }

    /// <summary>Any thread.</summary>
    public PeerTable Peers => state.Peers;

    /// <summary>Any thread.</summary>
    public IReadOnlyList<Shard> Shards => state.Shards;

    /// <summary>Any thread.</summary>
    public IReadOnlyList<RelayLink> Links => state.Links;

    /// <summary>Any thread.</summary>
    public int PortNumber => port.Number;

    /// <summary>Any thread.</summary>
    public Guid BootId => state.BootId;

    /// <summary>Any thread.</summary>
    public IReadOnlyList<Candidate> Candidates => state.Candidates;

    /// <summary>Any thread.</summary>
    public void Open(NodeName node, IStreamUser user)
    {
        if (node == state.Options.Self)
        {
            state.Shards[0].Reactor.Run(static u => u.Fail(DialStatus.PeerUnreachable), user);
            return;
        }

        Peer peer = state.Peers.Get(node);
        peer.Shard.Reactor.Run(static s => s.Peer.Open(s.User), (Peer: peer, User: user));
    }

    /// <summary>Where streams to that node live. Any thread.</summary>
    public Reactor ReactorOf(NodeName node) => (node == state.Options.Self ? state.Shards[0] : state.Peers.Get(node).Shard).Reactor;

    /// <summary>One more server; its client is the caller's.</summary>
    public RelayLink AddLink(string name)
    {
        RelayLink link = new(nextLink++, name, state.Shards[0].Reactor, port, OnLinkChanged, state.Log);
        state.Links = [.. state.Links, link];
        return link;
    }

    /// <summary>The server is not used any more; its client has ended.</summary>
    public void RemoveLink(RelayLink link)
    {
        if (state.Links.Contains(link))
        {
            state.Links = [.. state.Links.Where(other => other != link)];
            OnLinkChanged(link);
        }
    }

    /// <summary>The shard of the peer that the first frame of a server's message comes from. Any thread.</summary>
    public Shard ShardOf(ReadOnlySpan<byte> message) =>
        state.Shards.Count > 1 && RelayRecords.TryTake(ref message, out ReadOnlySpan<byte> record) && RelayFrame.TryRead(record, out RelayFrame frame)
            ? state.Shards[state.Peers.ShardOf(frame.Address)]
            : state.Shards[0];

    public void UseLocalAddresses(LocalAddresses found)
    {
        IPAddress[] gone = [.. state.Local.Addresses.Except(found.Addresses)];
        bool hasMoved = found.HasMovedFrom(state.Local);
        state.Local = found;
        RefreshCandidates(force: true, hasMoved);
        foreach (RelayLink link in Links)
        {
            link.Rebind(gone);
        }
    }

    /// <summary>What the router maps to our port now, or null.</summary>
    public void UseMapping(PortMapping? found)
    {
        mapping = found;
        RefreshCandidates(force: false);
    }

    /// <summary>A revocation list has come: if it is new, its bearers are cut off and the other peers are told. Any thread.</summary>
    public void Revoke(byte[] signed, string source)
    {
        if (state.Revocations.TryTake(signed, source))
        {
            ForPeers(static peer => peer.OnRevocations());
            _ = Task.Run(state.Revocations.Save);
        }
    }

    /// <summary>The identity's, from now on. Any thread.</summary>
    public void UseCredentials()
    {
        foreach (Shard shard in Shards)
        {
            shard.Reactor.Run(static s => s.UseCredentials(), shard);
        }
    }

    /// <summary>Writes the address book if one of these is news. Any thread.</summary>
    public void SaveBook(IEnumerable<(NodeName Node, WireAddress Address)> direct)
    {
        foreach ((NodeName node, WireAddress address) in direct)
        {
            book.Learn(node, address);
        }

        book.Save();
    }

    /// <summary>No new streams; peers are told. Any thread.</summary>
    public void BeginStop()
    {
        state.IsStopping = true;
        ForPeers(static peer => peer.SayGoing());
    }

    /// <summary>A server's queue has room again. Any thread.</summary>
    public void OnRelayRoom()
    {
        foreach (Shard shard in Shards)
        {
            shard.Reactor.Run(static s => s.OnWritable(), shard);
        }
    }

    private void OnServerDatagram(PacketKind kind, in WireAddress from, Span<byte> datagram, int length)
    {
        if (kind == PacketKind.HelloWanted)
        {
            if (HelloWanted.TryRead(datagram, out ulong session))
            {
                state.LinkAt(from)?.OnHelloWanted(session);
            }

            return;
        }

        foreach (RelayLink link in Links)
        {
            if (kind == PacketKind.Stun ? link.OnStun(from, datagram) : link.OnHelloAnswer(from, datagram))
            {
                return;
            }
        }
    }

    private void OnLinkChanged(RelayLink link)
    {
        if (link.IsConnected && link.Since > newestSession)
        {
            newestSession = link.Since;
            onServerConnected();
        }

        TunnelMetrics.Servers = Links.Count(l => l.IsConnected);
        RefreshCandidates(force: false);
        ForPeers(static peer => peer.OnRelaysChanged());
    }

    private void RefreshCandidates(bool force, bool hasMoved = false)
    {
        bool mapsByDestination = Links.Any(link => link.MapsByDestination) || MapsByServer();
        state.IsBehindHardNat = mapsByDestination && mapping is null && state.Options.Advertise.Count == 0;
        IEnumerable<Candidate> seen = Links
            .SelectMany(link => (WireAddress[])[link.Observed, link.ObservedBySecond, link.ObservedOfOtherFamily])
            .Where(a => a.Family != 0)
            .Select(a => new Candidate(state.IsBehindHardNat ? CandidateKind.HardReflexive : CandidateKind.ServerReflexive, a));
        Candidate[] next =
        [
            .. state.Local.ToCandidates((ushort)port.Number, port.HasV6)
                .Concat(state.Options.Advertise.Select(a => new Candidate(CandidateKind.Configured, WireAddress.From(a))))
                .Concat(mapping is { } held ? [new Candidate(CandidateKind.PortMapped, WireAddress.From(held.External))] : [])
                .Concat(seen)
                .DistinctBy(c => c.Address),
        ];
        if (!force && next.SequenceEqual(state.Candidates))
        {
            return;
        }

        state.Candidates = next;
        TunnelLog.Candidates(state.Log, string.Join(", ", next.Select(c => c.Address)));
        ForPeers(hasMoved ? static peer => peer.OnLocalChange(hasMoved: true) : static peer => peer.OnLocalChange(hasMoved: false));
    }

    // Two servers see us at one address with different ports: the NAT maps by the destination's address (RFC 4787 section 4.1).
    // Different addresses may be two ways out, one server in our own network perhaps.
    private bool MapsByServer() => Links.Where(link => link.Observed.Family != 0)
        .GroupBy(link => link.Observed.WithPort(0))
        .Any(seen => seen.Select(link => link.Observed.Port).Distinct().Count() > 1);

    // Each in its shard's loop. Any thread.
    private void ForPeers(Action<Peer> action)
    {
        foreach (Shard shard in Shards)
        {
            shard.Reactor.Run(
                static s =>
                {
                    foreach (Peer peer in s.Shard.Peers)
                    {
                        s.Action(peer);
                    }
                },
                (Shard: shard, Action: action));
        }
    }
}
