using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.PortMap;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel;

/// <summary>
/// Everything that lives on the reactor, put together: the UDP port, the servers' links, the QUIC endpoint, the peers. What
/// comes in is handed to its owner here. In the loop only, but for the constructor and <see cref="Peers"/>.
/// </summary>
internal sealed class TunnelLoop : IDisposable
{
    private const long VersionLogPause = 60_000_000_000;

    private readonly TunnelOptions options;
    private readonly Reactor reactor;
    private readonly UdpPort port;
    private readonly QuicEndpoint endpoint;
    private readonly ReplyOutput reply;
    private readonly PeerContext context;
    private readonly AddressBook book;
    private readonly StreamAcceptor acceptor;
    private readonly Revocations revocations;
    private readonly ILogger log;
    private readonly List<RelayLink> links = [];
    private readonly Action onServerConnected;
    private int nextLink;
    private long newestSession;
    private QuicCredentials credentials;
    private PortMapping? mapping;
    private long foreignVersions;
    private long nextVersionLog;
    private bool isStopping;

    public TunnelLoop(
        TunnelOptions options,
        NodeIdentity identity,
        Reactor reactor,
        Func<TransportProtocol, IPEndPoint, bool> isLocalEndpoint,
        Func<NodeName, IReadOnlyList<IPAddress>> nodeAddresses,
        IReadOnlyList<string> servers,
        Action onServerConnected,
        ILogger log)
    {
        this.onServerConnected = onServerConnected;
        this.options = options;
        this.reactor = reactor;
        this.log = log;
        port = UdpPort.Open(reactor, options, OnPackets, OnWritable);
        reply = new ReplyOutput(port);
        book = AddressBook.Load(options.StateDirectory, log);
        acceptor = new StreamAcceptor(isLocalEndpoint, options.SocketMark ?? 0);
        TunnelMetrics.Answers = acceptor.Answers;
        IReadOnlyList<WireAddress> Known(NodeName node) =>
        [
            .. book.Find(node).Concat(nodeAddresses(node).Select(a => WireAddress.From(a, MeshDefaults.AgentPort))).Distinct(),
        ];
        revocations = Revocations.Load(options.StateDirectory, identity.Ca, log);
        context = new PeerContext(options, reactor, port, acceptor, identity.Clock, revocations, node => Peers!.Get(node), log)
        {
            OnRevocations = Revoke,
        };
        Peers = new PeerTable(node => new Peer(node, context, Known));
        foreach (string name in servers)
        {
            AddLink(name);
        }

        context.Links = links;
        credentials = Credentials(identity);
        endpoint = new QuicEndpoint(
            reactor, new QuicEndpointOptions
            {
                ResetSecret = identity.ResetSecret,

                // A node that was asleep, or without any network, for a minute goes on where it was.
                IdleTimeout = TimeSpan.FromSeconds(120),

                // The largest on a direct path. Larger ones would make WebSocket relays cheaper, but congestion control would reckon
                // with them on every path.
                MaxDatagramSize = MtuProber.Largest,

                // By mesh time, with a grace: PeerCertificate judges.
                CheckCertificateTimes = false,
            }, credentials, Accept, log);
        context.Endpoint = endpoint;
    }

    public PeerTable Peers { get; }

    public IReadOnlyList<RelayLink> Links => links;

    public int PortNumber => port.Number;

    public Guid BootId => context.BootId;

    public IReadOnlyList<Candidate> Candidates => context.Candidates;

    public void Open(NodeName node, IStreamUser user)
    {
        if (isStopping || node == options.Self)
        {
            user.Fail(DialStatus.PeerUnreachable);
            return;
        }

        Peers.Get(node).Open(user);
    }

    /// <summary>One more server; its client is the caller's.</summary>
    public RelayLink AddLink(string name)
    {
        RelayLink link = new(nextLink++, name, reactor, port, OnLinkChanged, log);
        links.Add(link);
        return link;
    }

    /// <summary>The server is not used any more; its client has ended.</summary>
    public void RemoveLink(RelayLink link)
    {
        if (links.Remove(link))
        {
            OnLinkChanged(link);
        }
    }

    /// <summary>A message of a server's WebSocket: records with frames.</summary>
    public void OnRelayMessage(RelayLink link, Memory<byte> message)
    {
        ReadOnlySpan<byte> rest = message.Span;
        int at = 0;
        while (RelayRecords.TryTake(ref rest, out ReadOnlySpan<byte> record))
        {
            Span<byte> frame = message.Span.Slice(at + RelayRecords.Overhead, record.Length);
            at += RelayRecords.Overhead + record.Length;
            switch (PacketKinds.Of(frame))
            {
                case PacketKind.RelayData:
                    OnRelayed(link, frame, PathKind.RelayTls);
                    break;
                case PacketKind.PeerGone:
                    OnPeerGone(link, frame);
                    break;
            }
        }
    }

    public void UseLocalAddresses(LocalAddresses found)
    {
        IPAddress[] gone = [.. context.Local.Addresses.Except(found.Addresses)];
        bool hasMoved = found.HasMovedFrom(context.Local);
        context.Local = found;
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

    /// <summary>A revocation list has come: if it is new, its bearers are cut off and the other peers are told.</summary>
    public void Revoke(byte[] signed, string source)
    {
        if (!revocations.TryTake(signed, source))
        {
            return;
        }

        foreach (Peer peer in Peers.All)
        {
            peer.OnRevocations();
        }

        _ = Task.Run(revocations.Save);
    }

    public void UseCredentials(NodeIdentity identity)
    {
        QuicCredentials renewed = Credentials(identity);
        endpoint.UseCredentials(renewed);
        credentials.Dispose();
        credentials = renewed;
    }

    /// <summary>What the address book wants written, or null.</summary>
    public byte[]? TakeBookChanges()
    {
        foreach (Peer peer in Peers.All)
        {
            if (peer.Current is not null && peer.Paths.Selected.IsDirect)
            {
                book.Learn(peer.Node, peer.Paths.Selected.Remote);
            }
        }

        return book.TakeChanges();
    }

    /// <summary>Any thread.</summary>
    public void WriteBook(byte[] content) => book.Write(content);

    /// <summary>No new streams; peers are told.</summary>
    public void BeginStop()
    {
        isStopping = true;
        foreach (Peer peer in Peers.All)
        {
            peer.SayGoing();
        }
    }

    public void Dispose()
    {
        isStopping = true;
        endpoint.Dispose();
        credentials.Dispose();
        foreach (Peer peer in Peers.All)
        {
            peer.Dispose();
        }

        port.Dispose();
    }

    private static QuicCredentials Credentials(NodeIdentity identity) =>
        QuicCredentials.FromPem(identity.CaPem, identity.CertificatePem, identity.KeyPem);

    private void OnPackets(PacketKind kind, in WireAddress from, Span<byte> train, int segmentSize)
    {
        if (kind == PacketKind.Quic)
        {
            OnQuic(Route.To(from), train, segmentSize, PathKind.Direct);
            return;
        }

        for (int at = 0; at < train.Length; at += segmentSize)
        {
            OnDatagram(kind, from, train[at..Math.Min(train.Length, at + segmentSize)]);
        }
    }

    private void OnDatagram(PacketKind kind, in WireAddress from, Span<byte> datagram)
    {
        if (PacketKinds.IsForeignVersion(datagram, out int version))
        {
            TunnelMetrics.Unknown++;
            foreignVersions++;
            if (reactor.Now >= nextVersionLog)
            {
                nextVersionLog = reactor.Now + VersionLogPause;
                TunnelLog.ForeignVersion(log, version, foreignVersions);
            }

            return;
        }

        switch (kind)
        {
            case PacketKind.RelayData when LinkAt(from) is { } link:
                OnRelayed(link, datagram, PathKind.RelayUdp);
                break;
            case PacketKind.PeerGone when LinkAt(from) is { } link:
                OnPeerGone(link, datagram);
                break;
            case PacketKind.HelloWanted when LinkAt(from) is { } link && HelloWanted.TryRead(datagram, out ulong session):
                link.OnHelloWanted(session);
                break;
            case PacketKind.Probe:
                OnProbe(from, datagram);
                break;
            case PacketKind.RelayHelloAnswer:
                foreach (RelayLink link in Links)
                {
                    if (link.OnHelloAnswer(from, datagram))
                    {
                        return;
                    }
                }

                break;
            case PacketKind.Stun:
                foreach (RelayLink link in Links)
                {
                    if (link.OnStun(from, datagram))
                    {
                        return;
                    }
                }

                break;
            default:
                TunnelMetrics.Unknown++;
                break;
        }
    }

    private void OnProbe(in WireAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!Probe.TryRead(datagram, out Probe probe)
            || Peers.Find(probe.Sender) is not { } peer
            || !peer.OnProbe(probe, datagram, from))
        {
            TunnelMetrics.ProbesRefused++;
        }
    }

    private void OnRelayed(RelayLink link, Span<byte> frame, PathKind kind)
    {
        if (RelayFrame.TryRead(frame, out RelayFrame header) && frame.Length > RelayFrame.HeaderLength)
        {
            Span<byte> payload = frame[RelayFrame.HeaderLength..];
            OnQuic(Route.Through(link, header.Address), payload, payload.Length, kind);
        }
    }

    private void OnQuic(in Route from, Span<byte> train, int segmentSize, PathKind kind)
    {
        int bytes = train.Length;
        reply.Route = from;
        if (endpoint.Receive(train, segmentSize, reply)?.Owner is PeerConnection connection)
        {
            connection.Heard(from, reactor.Now);
            connection.Peer?.CountReceived(from, kind, bytes);
        }
    }

    private PeerConnection? Accept(QuicConnection connection)
    {
        if (isStopping || (options.DisableDirect && reply.Route.Link is null))
        {
            return null;
        }

        HandshakeOutput output = new(port);
        output.Heard(reply.Route);
        PeerConnection accepted = new(context, output, null) { Quic = connection };
        connection.Owner = accepted;
        connection.Output = output;
        return accepted;
    }

    private void OnPeerGone(RelayLink link, ReadOnlySpan<byte> datagram)
    {
        if (PeerGone.TryRead(datagram, out MeshAddress address))
        {
            Peers.Find(address)?.OnGone(link);
        }
    }

    private RelayLink? LinkAt(in WireAddress address)
    {
        foreach (RelayLink link in Links)
        {
            if (link.IsUdpServer(address))
            {
                return link;
            }
        }

        return null;
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
        foreach (Peer peer in Peers.All)
        {
            peer.OnRelaysChanged();
        }
    }

    private void RefreshCandidates(bool force, bool hasMoved = false)
    {
        bool mapsByDestination = Links.Any(link => link.MapsByDestination) || MapsByServer();
        context.IsBehindHardNat = mapsByDestination && mapping is null && options.Advertise.Count == 0;
        IEnumerable<Candidate> seen = Links
            .SelectMany(link => (WireAddress[])[link.Observed, link.ObservedBySecond, link.ObservedOfOtherFamily])
            .Where(a => a.Family != 0)
            .Select(a => new Candidate(context.IsBehindHardNat ? CandidateKind.HardReflexive : CandidateKind.ServerReflexive, a));
        Candidate[] next =
        [
            .. context.Local.ToCandidates((ushort)port.Number, port.HasV6)
                .Concat(options.Advertise.Select(a => new Candidate(CandidateKind.Configured, WireAddress.From(a))))
                .Concat(mapping is { } held ? [new Candidate(CandidateKind.PortMapped, WireAddress.From(held.External))] : [])
                .Concat(seen)
                .DistinctBy(c => c.Address),
        ];
        if (!force && next.SequenceEqual(context.Candidates))
        {
            return;
        }

        context.Candidates = next;
        TunnelLog.Candidates(log, string.Join(", ", next.Select(c => c.Address)));
        foreach (Peer peer in Peers.All)
        {
            peer.OnLocalChange(hasMoved);
        }
    }

    // Two servers see us at one address with different ports: the NAT maps by the destination's address (RFC 4787 section 4.1).
    // Different addresses may be two ways out, one server in our own network perhaps.
    private bool MapsByServer() => Links.Where(link => link.Observed.Family != 0)
        .GroupBy(link => link.Observed.WithPort(0))
        .Any(seen => seen.Select(link => link.Observed.Port).Distinct().Count() > 1);

    private void OnWritable()
    {
        foreach (Peer peer in Peers.All)
        {
            peer.OnWritable();
        }
    }

    /// <summary>A server's queue has room again.</summary>
    public void OnRelayRoom() => OnWritable();
}
