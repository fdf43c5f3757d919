using System.Buffers;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel;

/// <summary>
/// A share of the peers on a thread of its own: its reactor, its socket on the common port, its QUIC endpoint. A peer is one shard's
/// for as long as this agent runs. The kernel steers most datagrams to the right one; the others are copied and handed over.
/// In the loop only.
/// </summary>
internal sealed class Shard : IQuicShards, IDisposable
{
    private const long VersionLogPause = 60_000_000_000;

    // Of all shards together: each holds some 100 kB before anybody has proved anything.
    private const int MaxHandshakes = 256;

    // Bytes handed over and not yet taken. What is more is lost, as in a full socket.
    private const long MaxHanded = 4 << 20;

    private readonly TunnelState state;
    private readonly PacketHandler onServerDatagram;
    private readonly PeerContext context;
    private readonly QuicEndpoint endpoint;
    private readonly ReplyOutput reply;
    private QuicCredentials credentials;
    private PathKind replyKind;
    private long handed;
    private long foreignVersions;
    private long nextVersionLog;

    /// <param name="state">What all shards see.</param>
    /// <param name="index">Its place among them.</param>
    /// <param name="reactor">Its thread.</param>
    /// <param name="port">Its socket.</param>
    /// <param name="onServerDatagram">For what servers answer; called in the first shard's loop.</param>
    /// <param name="onRevocations">For a list that a peer has sent.</param>
    public Shard(
        TunnelState state, int index, Reactor reactor, UdpPort port, PacketHandler onServerDatagram, Action<byte[], string> onRevocations)
    {
        this.state = state;
        this.onServerDatagram = onServerDatagram;
        Index = index;
        Reactor = reactor;
        Port = port;
        reply = new ReplyOutput(port);
        credentials = Credentials(state.Identity);
        endpoint = new QuicEndpoint(
            reactor, new QuicEndpointOptions
            {
                ResetSecret = state.Identity.ResetSecret,
                Shard = index,
                ClientTag = state.SelfAddress.Value,
                MaxHandshakes = MaxHandshakes / state.Options.Threads,

                // A node that was asleep, or without any network, for a minute goes on where it was.
                IdleTimeout = TimeSpan.FromSeconds(120),

                // The largest on a direct path. Larger ones would make WebSocket relays cheaper, but congestion control would reckon
                // with them on every path.
                MaxDatagramSize = MtuProber.Largest,

                // By mesh time, with a grace: PeerCertificate judges.
                CheckCertificateTimes = false,
            }, credentials, Accept, state.Log, this);
        context = new PeerContext(state, this, endpoint) { OnRevocations = onRevocations };
    }

    public int Index { get; }

    public Reactor Reactor { get; }

    public UdpPort Port { get; }

    int IQuicShards.Count => state.Shards.Count;

    QuicResetTokens IQuicShards.ResetTokens => state.ResetTokens;

    /// <summary>Those that are this shard's.</summary>
    public IEnumerable<Peer> Peers => state.Peers.All.Where(peer => peer.Shard == this);

    public Peer NewPeer(NodeName node, Func<NodeName, IReadOnlyList<WireAddress>> knownAddresses) => new(node, context, knownAddresses);

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

    public void OnPackets(PacketKind kind, in WireAddress from, Span<byte> train, int segmentSize)
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

    /// <summary>The socket, or a server's queue, has room again.</summary>
    public void OnWritable()
    {
        foreach (Peer peer in Peers)
        {
            peer.OnWritable();
        }
    }

    public void UseCredentials()
    {
        QuicCredentials renewed = Credentials(state.Identity);
        endpoint.UseCredentials(renewed);
        credentials.Dispose();
        credentials = renewed;
    }

    public void Dispose()
    {
        endpoint.Dispose();
        credentials.Dispose();
        foreach (Peer peer in Peers)
        {
            peer.Dispose();
        }

        Port.Dispose();
    }

    int IQuicShards.ShardOf(ulong clientTag) => state.Peers.ShardOf(new MeshAddress(clientTag));

    void IQuicShards.HandOver(int shard, Span<byte> datagram) =>
        HandOver(state.Shards[shard], PacketKind.Quic, reply.Route, replyKind, datagram);

    private static QuicCredentials Credentials(NodeIdentity identity) =>
        QuicCredentials.FromPem(identity.CaPem, identity.CertificatePem, identity.KeyPem);

    private void OnDatagram(PacketKind kind, in WireAddress from, Span<byte> datagram)
    {
        if (PacketKinds.IsForeignVersion(datagram, out int version))
        {
            OnForeignVersion(version);
            return;
        }

        switch (kind)
        {
            case PacketKind.RelayData when state.LinkAt(from) is { } link:
                OnRelayed(link, datagram, PathKind.RelayUdp);
                break;
            case PacketKind.PeerGone when state.LinkAt(from) is { } link:
                OnPeerGone(link, datagram);
                break;
            case PacketKind.Probe:
                OnProbe(from, datagram);
                break;
            case PacketKind.HelloWanted or PacketKind.RelayHelloAnswer or PacketKind.Stun when Index == 0:
                onServerDatagram(kind, from, datagram, datagram.Length);
                break;
            case PacketKind.HelloWanted or PacketKind.RelayHelloAnswer or PacketKind.Stun:
                HandOver(state.Shards[0], kind, Route.To(from), PathKind.None, datagram);
                break;
            default:
                TunnelMetrics.CountUnknown();
                break;
        }
    }

    private void OnForeignVersion(int version)
    {
        TunnelMetrics.CountUnknown();
        foreignVersions++;
        if (Reactor.Now >= nextVersionLog)
        {
            nextVersionLog = Reactor.Now + VersionLogPause;
            TunnelLog.ForeignVersion(state.Log, version, foreignVersions);
        }
    }

    private void OnProbe(in WireAddress from, Span<byte> datagram)
    {
        if (!Probe.TryRead(datagram, out Probe probe) || state.Peers.Find(probe.Sender) is not { } peer)
        {
            TunnelMetrics.CountProbeRefused();
        }
        else if (peer.Shard != this)
        {
            HandOver(peer.Shard, PacketKind.Probe, Route.To(from), PathKind.None, datagram);
        }
        else if (!peer.OnProbe(probe, datagram, from))
        {
            TunnelMetrics.CountProbeRefused();
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
        replyKind = kind;
        if (endpoint.Receive(train, segmentSize, reply)?.Owner is PeerConnection connection)
        {
            connection.Heard(from, Reactor.Now);
            connection.Peer?.CountReceived(from, kind, bytes);
        }
    }

    private void OnPeerGone(RelayLink link, ReadOnlySpan<byte> datagram)
    {
        if (PeerGone.TryRead(datagram, out MeshAddress address) && state.Peers.Find(address) is { } peer)
        {
            peer.Shard.Reactor.Run(static gone => gone.Peer.OnGone(gone.Link), (Peer: peer, Link: link));
        }
    }

    private PeerConnection? Accept(QuicConnection connection)
    {
        if (state.IsStopping || (state.Options.DisableDirect && reply.Route.Link is null))
        {
            return null;
        }

        HandshakeOutput output = new(Port);
        output.Heard(reply.Route);
        PeerConnection accepted = new(context, output, null) { Quic = connection };
        connection.Owner = accepted;
        connection.Output = output;
        return accepted;
    }

    private static void HandOver(Shard to, PacketKind kind, in Route from, PathKind path, ReadOnlySpan<byte> datagram)
    {
        bool hasRoom = Interlocked.Add(ref to.handed, datagram.Length) <= MaxHanded;
        TunnelMetrics.CountHandOver(hasRoom);
        if (!hasRoom)
        {
            Interlocked.Add(ref to.handed, -datagram.Length);
            return;
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent(datagram.Length);
        datagram.CopyTo(copy);
        to.Reactor.Post(
            static h => h.To.Take(h.Kind, h.From, h.Path, h.Buffer, h.Length),
            (To: to, Kind: kind, From: from, Path: path, Buffer: copy, datagram.Length));
    }

    private void Take(PacketKind kind, in Route from, PathKind path, byte[] buffer, int length)
    {
        Interlocked.Add(ref handed, -length);
        Span<byte> datagram = buffer.AsSpan(0, length);
        if (kind == PacketKind.Quic)
        {
            OnQuic(from, datagram, length, path);
        }
        else
        {
            OnDatagram(kind, from.Direct, datagram);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }
}
