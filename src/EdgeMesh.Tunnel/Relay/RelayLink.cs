using System.Net;
using System.Security.Cryptography;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Udp;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// One server as the loop sees it: the session while the WebSocket stands, the UDP leg beside it, and where frames go now. In the
/// first shard's loop only, but for <see cref="Way"/> and what goes by it; <see cref="RelayClient"/> posts what happens on the WebSocket.
/// </summary>
internal sealed class RelayLink
{
    private static readonly TimeSpan SilenceUnderTraffic = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WatchPause = TimeSpan.FromSeconds(3);

    // Other shards tell of their traffic this often: a leg under traffic is asked every half second.
    private const long NotePause = PathTiming.Second / 10;

    private readonly Reactor reactor;
    private readonly UdpPort port;
    private readonly Action<RelayLink> onChange;
    private readonly ILogger log;
    private readonly UdpLeg leg = new(NewNonce);
    private readonly ReactorTimer timer;
    private RelayWay way = RelayWay.None;
    private RelaySession? session;
    private bool isOrphan;
    private bool isSuspect;
    private bool isDraining;
    private long nextNote;
    private TransactionId secondAsked;
    private TransactionId otherAsked;
    private int pair;

    public RelayLink(int id, string name, Reactor reactor, UdpPort port, Action<RelayLink> onChange, ILogger log)
    {
        Id = id;
        Name = name;
        this.reactor = reactor;
        this.port = port;
        this.onChange = onChange;
        this.log = log;
        timer = reactor.CreateTimer(Advance);
        Why = "not connected yet";
    }

    public int Id { get; }

    /// <summary>As configured.</summary>
    public string Name { get; }

    /// <summary>Any thread.</summary>
    public RelayWay Way => Volatile.Read(ref way);

    /// <summary>Any thread.</summary>
    public RelaySession? Session => Way.Session;

    /// <summary>Any thread.</summary>
    public bool IsConnected => Way.IsConnected;

    /// <summary>Any thread.</summary>
    public PathKind Kind => Way.Kind;

    public bool IsUdpBound => leg.IsBound;

    /// <summary>State in a clause, for status.</summary>
    public string Why { get; private set; }

    /// <summary>Loop time since which <see cref="IsConnected"/> is what it is.</summary>
    public long Since { get; private set; }

    /// <summary>Our address as the server's first port sees it; the default while unknown.</summary>
    public WireAddress Observed => leg.IsBound ? leg.Observed : default;

    /// <summary>Our address as its second port sees it: another one than <see cref="Observed"/> means that the NAT maps by destination.</summary>
    public WireAddress ObservedBySecond { get; private set; }

    /// <summary>Our address of the other IP family, as the server sees it; the default value where one of us has none.</summary>
    public WireAddress ObservedOfOtherFamily { get; private set; }

    /// <summary>The NAT gives every destination another port.</summary>
    public bool MapsByDestination => Observed.Family != 0 && ObservedBySecond.Family != 0 && Observed != ObservedBySecond;

    public void OnConnected(RelaySession begun)
    {
        session = begun;
        isOrphan = isSuspect = isDraining = false;
        Since = reactor.Now;
        pair = 0;
        Why = "connected";
        leg.Start(reactor.Now);
        Advance();
        Changed();
    }

    public void OnLost(RelaySession ended, string why)
    {
        if (!ReferenceEquals(ended, session))
        {
            return;
        }

        Why = why;
        if (leg.IsBound && ended.Heartbeat.HasGivenUp)
        {
            // Our TCP connection is dead, the server may not be: over UDP it serves this session until the next one replaces it.
            isOrphan = true;
            Publish();
            leg.Check(reactor.Now);
            Arm();
            return;
        }

        End();
    }

    public void OnDrain(RelaySession draining)
    {
        if (ReferenceEquals(draining, session) && !isDraining)
        {
            isDraining = true;
            Why = "connected; the server is draining";
            Changed();
        }
    }

    private void End()
    {
        session = null;
        isOrphan = isSuspect = isDraining = false;
        Since = reactor.Now;
        leg.Stop();
        timer.Cancel();
        ObservedBySecond = ObservedOfOtherFamily = default;
        Changed();
    }

    public void OnAttemptFailed(string why)
    {
        if (session is null)
        {
            Why = why;
        }
    }

    /// <summary>Sends a train whose segments have room for a header in front. In the loop of the shard whose port that is.</summary>
    /// <returns>False: no room now; <c>Writable</c> of the port or the session's queue says when.</returns>
    public bool Send(UdpPort from, Span<byte> train, int segmentSize, MeshAddress destination)
    {
        RelayWay now = Way;
        if (now.Session is not { } current)
        {
            return true;
        }

        RelayFrame header = new(destination, current.Id);
        for (int at = 0; at < train.Length; at += segmentSize)
        {
            header.WriteHeader(train[at..]);
        }

        if (!now.IsUdpBound)
        {
            return SendOverTls(current, train, segmentSize);
        }

        if (segmentSize > RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload)
        {
            // Built when both legs were WebSockets: lost, as a packet may be; QUIC sends the content again in smaller ones.
            return true;
        }

        NoteTraffic();
        return from.Send(now.Server, train, segmentSize) != SendResult.WouldBlock;
    }

    /// <summary>A path has gone silent: both legs will be needed, and may be dead too. Any thread.</summary>
    public void Check() => reactor.Run(
        static link =>
        {
            link.session?.Heartbeat.Check();
            link.leg.Check(link.reactor.Now);
            link.Arm();
        },
        this);

    /// <summary>Payload flows on some path: this server must be known to be there when that path fails. Any thread.</summary>
    public void Watch() => reactor.Run(
        static link =>
        {
            link.session?.Heartbeat.CheckSilence(WatchPause);
            link.leg.Watch(link.reactor.Now);
            link.Arm();
        },
        this);

    /// <summary>Our addresses have changed: say hello from the new one, connect anew if the old one is gone.</summary>
    public void Rebind(IReadOnlyCollection<IPAddress> gone)
    {
        if (session?.Local is { } local && gone.Contains(local))
        {
            session.Heartbeat.GiveUp($"our address {local} is gone");
        }

        session?.Heartbeat.Check();
        if (session is not null && session.UdpServers.Count > 0)
        {
            leg.Rebind(reactor.Now);
            Advance();
        }
    }

    /// <summary>Whether relayed data may come from there. Any thread.</summary>
    public bool IsUdpServer(in WireAddress address) => Way.Server == address && address != default;

    /// <summary>The server sees our relayed data come from another address than our last hello.</summary>
    public void OnHelloWanted(ulong wanted)
    {
        if (session?.Id == wanted && leg.Renew(reactor.Now))
        {
            Advance();
        }
    }

    public bool OnHelloAnswer(in WireAddress from, ReadOnlySpan<byte> datagram)
    {
        if (session is null || pair >= session.UdpServers.Count || from != session.UdpServers[pair].Relay
            || !RelayHelloAnswer.TryRead(datagram, out RelayHelloAnswer answer)
            || !RelayHelloAnswer.Verify(datagram, session.Key))
        {
            return false;
        }

        bool wasBound = leg.IsBound;
        if (leg.OnAnswer(answer.Nonce, answer.Observed, reactor.Now))
        {
            if (!wasBound)
            {
                TunnelLog.UdpBound(log, Name, answer.Observed.ToString());
                session.TellUdp(true);
            }

            AskOtherPorts();
            Changed();
        }
        else
        {
            // The round trip is news.
            Publish();
        }

        Suspect();
        Arm();
        return true;
    }

    public bool OnStun(in WireAddress from, ReadOnlySpan<byte> datagram)
    {
        if (session is null || !Stun.TryReadSuccess(datagram, out TransactionId transaction, out WireAddress mapped))
        {
            return false;
        }

        bool isNews;
        if (transaction == secondAsked && pair < session.UdpServers.Count && from == session.UdpServers[pair].Stun)
        {
            isNews = mapped != ObservedBySecond;
            ObservedBySecond = mapped;
        }
        else if (transaction == otherAsked && from == OtherFamily())
        {
            isNews = mapped != ObservedOfOtherFamily;
            ObservedOfOtherFamily = mapped;
        }
        else
        {
            return false;
        }

        if (isNews)
        {
            Changed();
        }

        return true;
    }

    private static bool SendOverTls(RelaySession session, ReadOnlySpan<byte> train, int segmentSize)
    {
        session.Heartbeat.CheckSilence(SilenceUnderTraffic);

        // A train is taken or refused as a whole as far as QUIC is concerned: what went before the refusal is not sent again by us,
        // so the room is asked for first.
        if (!session.Outbound.HasRoom(train.Length + (RelayRecords.Overhead * ((train.Length / segmentSize) + 1))))
        {
            return false;
        }

        for (int at = 0; at < train.Length; at += segmentSize)
        {
            _ = session.Outbound.Add(train[at..Math.Min(train.Length, at + segmentSize)]);
        }

        return true;
    }

    private void Advance()
    {
        if (session is null || session.UdpServers.Count == 0)
        {
            return;
        }

        bool lost = leg.Advance(reactor.Now, out ulong? nonce);
        if (nonce is { } hello)
        {
            Span<byte> datagram = stackalloc byte[RelayHello.Length];
            new RelayHello(session.Id, hello).Write(datagram, session.Key);
            _ = port.Send(session.UdpServers[pair].Relay, datagram, datagram.Length);
            AskOtherPorts();
        }
        else if (!leg.IsBound && leg.Failures > 0)
        {
            pair = (pair + 1) % session.UdpServers.Count;
            Publish();
        }

        if (lost)
        {
            TunnelLog.UdpUnbound(log, Name);
            if (isOrphan)
            {
                End();
                return;
            }

            session.Heartbeat.Check();
            session.TellUdp(false);
            isSuspect = false;
            Changed();
        }
        else
        {
            Suspect();
        }

        Arm();
    }

    private void Suspect()
    {
        if (leg.IsLate(reactor.Now) != isSuspect)
        {
            isSuspect = !isSuspect;
            Changed();
        }
    }

    private void Changed()
    {
        Publish();
        onChange(this);
    }

    private void Publish() => Volatile.Write(ref way, session is null ? RelayWay.None : new RelayWay(
        session,
        pair < session.UdpServers.Count ? session.UdpServers[pair].Relay : default,
        leg.IsBound,
        leg.IsBound ? leg.RoundTrip : 0,
        isOrphan,
        isSuspect,
        isDraining));

    private void NoteTraffic()
    {
        if (reactor.IsInLoop)
        {
            leg.OnTraffic(reactor.Now);
            Arm();
        }
        else if (Reactor.Clock() is var now && now >= Volatile.Read(ref nextNote))
        {
            Volatile.Write(ref nextNote, now + NotePause);
            reactor.Post(static link => link.NoteTraffic(), this);
        }
    }

    // Where else the server can see us from.
    private void AskOtherPorts()
    {
        secondAsked = Ask(session!.UdpServers[pair].Stun);
        otherAsked = Ask(OtherFamily());
    }

    private TransactionId Ask(in WireAddress server)
    {
        TransactionId transaction = TransactionId.NewRandom();
        if (server.Family != 0)
        {
            Span<byte> request = stackalloc byte[Stun.MaxLength];
            int length = Stun.WriteRequest(request, transaction);
            _ = port.Send(server, request[..length], length);
        }

        return transaction;
    }

    // The server's first address of the family that the relayed data does not take.
    private WireAddress OtherFamily()
    {
        foreach (UdpServer server in session!.UdpServers)
        {
            if (server.Relay.Family != session.UdpServers[pair].Relay.Family)
            {
                return server.Relay;
            }
        }

        return default;
    }

    private void Arm()
    {
        if (timer.Deadline != leg.Deadline)
        {
            timer.Set(leg.Deadline);
        }
    }

    private static ulong NewNonce()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }
}
