using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Streams;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// One QUIC connection with a peer, dialled by us or by it. While the handshake of an accepted one runs, who the peer is is not
/// known yet. In the loop only.
/// </summary>
internal sealed class PeerConnection : IQuicHandler
{
    private const long ProbeAfterSilence = 300 * PathTiming.Millisecond;

    private readonly PeerContext context;
    private readonly HandshakeOutput handshake;
    private ControlChannel? control;
    private Peer? peer;
    private ushort relayLimitTold;
    private IReadOnlyList<ServerDistance> serversTold = [];
    private RevocationParts? revocationParts;
    private uint revocationsSent;

    // Until the peer has said what it has, it is sent nothing.
    private uint peersRevocations = uint.MaxValue;
    private long lastPacketAt;

    /// <param name="context">What all peers share.</param>
    /// <param name="handshake">The ways the handshake takes.</param>
    /// <param name="dialled">The peer, if we dial.</param>
    public PeerConnection(PeerContext context, HandshakeOutput handshake, Peer? dialled)
    {
        this.context = context;
        this.handshake = handshake;
        peer = dialled;
        IsDialledByUs = dialled is not null;
        OnStreamOver = () => OpenStreams--;
    }

    public bool IsDialledByUs { get; }

    public QuicConnection Quic { get; set; } = null!;

    public Peer? Peer => peer;

    /// <summary>Loop time of the handshake's end.</summary>
    public long ConnectedAt { get; private set; }

    /// <summary>Loop time of the last packet.</summary>
    public long HeardAt { get; private set; }

    /// <summary>From the peer's hello; null before it.</summary>
    public Guid? BootId { get; private set; }

    /// <summary>The peer has said that it is stopping.</summary>
    public bool IsGoing { get; private set; }

    /// <summary>Service streams of both sides that are not over.</summary>
    public int OpenStreams { get; set; }

    /// <summary>Loop time of the last stream that was opened.</summary>
    public long LastUse { get; set; }

    /// <summary>To be called when a service stream is over.</summary>
    public Action OnStreamOver { get; }

    /// <summary>Serial number of the peer's certificate, hex.</summary>
    public string Serial { get; private set; } = "";

    /// <summary>Another node's certificate came where this peer was expected: one of the addresses is not the peer's.</summary>
    public bool MetAnotherNode { get; private set; }

    public bool IsUsable => Quic.IsConnected && !IsGoing;

    public void Heard(Route from, long now)
    {
        OnPathBack(now);
        HeardAt = lastPacketAt = now;
        handshake.Heard(from);
        if (peer is not null && (from.Link is null ? peer.Paths.OnReceived(from.Direct, now) : peer.Paths.OnRelayed(now)))
        {
            peer.Wake();
        }
    }

    /// <summary>The way is open again: what was lost meanwhile need not wait for a probe time-out that has doubled and doubled.</summary>
    public void OnPathBack(long now)
    {
        // A peer that slept has made the round trip seconds long.
        if (now - lastPacketAt > ProbeAfterSilence && Quic.IsConnected
            && now - lastPacketAt > 3 * Math.Min(Quic.Stats.SmoothedRoundTrip, ProbeAfterSilence))
        {
            Quic.Kick();
        }
    }

    /// <summary>An authenticated probe of this run of the peer.</summary>
    public void HeardProbe(long now) => HeardAt = now;

    /// <summary>Another way to try for a handshake that runs.</summary>
    public void AddRoute(Route route)
    {
        handshake.Add(route);
        Quic.Kick();
    }

    public void UseSelectedPath()
    {
        if (Quic.IsConnected && peer is not null)
        {
            handshake.IsSettled = true;
            IQuicOutput next = peer.SelectedOutput ?? handshake;
            if (!ReferenceEquals(next, Quic.Output))
            {
                Quic.Output = next;
                Quic.Kick();
            }
        }
    }

    public void SendCandidates()
    {
        if (!context.Options.DisableDirect)
        {
            control?.Send(target => ControlCandidates.Write(target, context.Candidates));
        }
    }

    public void SendPunch(ushort round) => control?.Send(target => ControlMessage.WritePunch(target, round));

    public void SendGuess(ushort[] ports) => control?.Send(target => ControlMessage.WriteGuess(target, ports));

    public void SendRelayLimit(ushort limit)
    {
        if (limit != relayLimitTold && control is not null)
        {
            relayLimitTold = limit;
            control.Send(target => ControlMessage.WriteRelayLimit(target, limit));
        }
    }

    /// <summary>Tells the peer how far our servers are, if that is news.</summary>
    public void SendServers(IReadOnlyList<ServerDistance> servers)
    {
        bool isNews = servers.Count != serversTold.Count;
        for (int i = 0; i < servers.Count && !isNews; i++)
        {
            isNews = servers[i].Server != serversTold[i].Server || servers[i].IsNews(serversTold[i].Microseconds);
        }

        if (isNews && control is not null)
        {
            serversTold = servers;
            control.Send(target => ControlMessage.WriteServers(target, servers));
        }
    }

    /// <summary>Tells which revocation list we have: who has a newer one sends it.</summary>
    public void SendRevocations()
    {
        control?.Send(target => ControlMessage.WriteRevocations(target, context.Revocations.Current.Number));
        OfferRevocations();
    }

    public void SendGoing() => control?.Send(ControlMessage.WriteGoing);

    bool IQuicHandler.OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer)
    {
        PeerCertificate? certificate = PeerCertificate.TryRead(leafDer);
        if (certificate is null || certificate.Node == context.Self)
        {
            MetAnotherNode = true;
            return false;
        }

        NodeName node = certificate.Node;
        Serial = certificate.Serial;
        string? fault = context.IsRevoked(Serial) ? "its certificate is revoked" : certificate.JudgeTime(context.Clock.Now);
        if (fault is not null)
        {
            TunnelLog.PeerRefused(context.Log, node.Value, fault);
            return false;
        }

        if (peer is not null && peer.Node != node)
        {
            MetAnotherNode = true;
            return false;
        }

        Peer known = peer ?? context.PeerOf(node);
        if (known.Shard != context.Shard)
        {
            // Its first packet named another node, or so many others that it was forgotten: the next dial comes to the right shard.
            TunnelLog.PeerRefused(context.Log, node.Value, "its handshake came to another thread than its own; it will dial again");
            return false;
        }

        peer = known;
        return true;
    }

    void IQuicHandler.OnConnected(QuicConnection connection)
    {
        ConnectedAt = HeardAt = LastUse = context.Now;
        if (IsDialledByUs && connection.OpenStream() is { } stream)
        {
            BeginControl(stream);
        }

        peer!.OnConnected(this);
    }

    void IQuicHandler.OnStreamOpened(QuicConnection connection, QuicStream stream)
    {
        if (stream.Id == 0 && !IsDialledByUs)
        {
            BeginControl(stream);
            return;
        }

        OpenStreams++;
        LastUse = context.Now;
        stream.Handler = new AcceptedStream(context.Reactor, stream, context.Acceptor, OnStreamOver);
    }

    void IQuicHandler.OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload) => peer?.Flows.OnDatagram(payload);

    void IQuicHandler.OnTicket(QuicConnection connection, byte[] ticket) => peer?.Keep(ticket);

    void IQuicHandler.OnStreamsAvailable(QuicConnection connection) => peer?.StartDials();

    void IQuicHandler.OnClosed(QuicConnection connection, QuicCloseReason reason)
    {
        control = null;
        peer?.OnClosed(this, reason);
    }

    internal void OnControl(ControlType type, ReadOnlySpan<byte> body)
    {
        long now = context.Now;
        switch (type)
        {
            case ControlType.Hello when ControlHello.TryRead(body, out ControlHello hello) && hello.Node == peer!.Node:
                BootId = hello.BootId;
                peer.OnHello(this, hello);
                break;
            case ControlType.Candidates when BootId is not null:
                peer!.OnCandidates(body, now);
                break;
            case ControlType.Punch when BootId is not null:
                peer!.OnPunch(now);
                break;
            case ControlType.Guess when BootId is not null:
                peer!.OnGuess(ControlMessage.ReadGuess(body));
                break;
            case ControlType.RelayLimit when ControlMessage.TryReadRelayLimit(body, out ushort limit):
                peer!.RelayLimit = Math.Clamp((int)limit, RelayFrame.MaxUdpPayload, RelayFrame.MaxWebSocketPayload);
                break;
            case ControlType.Servers when BootId is not null:
                peer!.OnServers(body);
                break;
            case ControlType.Revocations when ControlMessage.TryReadRevocations(body, out uint number):
                peersRevocations = number;
                OfferRevocations();
                break;
            case ControlType.RevocationPart when ControlMessage.TryReadRevocationPart(body, out RevocationPart part):
                if (part.Number > context.Revocations.Current.Number && (revocationParts ??= new RevocationParts()).Add(part) is { } list)
                {
                    revocationParts = null;
                    context.OnRevocations(list, peer!.Node.Value);
                }

                break;
            case ControlType.Going:
                IsGoing = true;
                peer!.OnGoing(this);
                break;
        }
    }

    // The one with the newer list sends it, once.
    private void OfferRevocations()
    {
        RevocationList ours = context.Revocations.Current;
        if (peersRevocations >= ours.Number || ours.Number == revocationsSent || control is null)
        {
            return;
        }

        revocationsSent = ours.Number;
        foreach (RevocationPart part in RevocationPart.Cut(ours, ControlMessage.RevocationPartLength))
        {
            control.Send(target => ControlMessage.WriteRevocationPart(target, part));
        }
    }

    internal void OnControlBroken()
    {
        if (Quic.IsConnected)
        {
            Quic.Close(1, "control stream broken");
        }
    }

    private void BeginControl(QuicStream stream)
    {
        control = new ControlChannel(stream, this);
        stream.Handler = control;
        ushort limit = relayLimitTold = context.RelayLimit;
        byte[] share = peer!.OwnShare;
        control.Send(target => new ControlHello
        {
            BootId = context.BootId,
            ProbeKeyShare = share,
            Node = context.Self,
            RelayLimit = limit,
        }.Write(target));
        SendCandidates();
        SendServers(context.Servers);
        SendRevocations();
    }
}
