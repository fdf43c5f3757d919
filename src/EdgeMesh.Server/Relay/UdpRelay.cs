using System.Net;

using EdgeMesh.Quic;
using EdgeMesh.Server.Sessions;
using EdgeMesh.Tunnel.Wire;

using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Relay;

/// <summary>
/// The server's UDP ports, all on one reactor: frames from UDP legs on to their receivers, frames from WebSockets on to UDP
/// legs, hellos, STUN. A frame is readdressed where the kernel put it and goes out in the train it came in.
/// </summary>
internal sealed class UdpRelay : IDisposable
{
    /// <summary>What WebSocket receivers may have waiting for the reactor; beyond it they drop.</summary>
    private const int MaxPending = 1024 * 1024;

    /// <summary>ns: how long a socket has not been read empty when its datagrams count as piling up, and how often that is asked.</summary>
    private const long Crowded = 10_000_000;
    private const long LookEvery = 1_000_000;

    private readonly Reactor reactor;
    private readonly SessionTable sessions;
    private readonly FairShares shares;
    private readonly RelayCounters counters;
    private readonly VersionLog versions;
    private readonly List<UdpPort> ports = [];
    private readonly Action<RelayBatch> sendBatch;
    private readonly ReactorTimer lookAgain;
    private int pending;
    private long lookedAt;

    public UdpRelay(Reactor reactor, SessionTable sessions, RelayLimits limits, RelayCounters counters, ILogger log)
    {
        this.reactor = reactor;
        this.sessions = sessions;
        this.counters = counters;
        shares = new FairShares(limits, () => sessions.All.Select(session => session.Sent), counters);
        versions = new VersionLog(log);
        sendBatch = SendBatch;
        lookAgain = reactor.CreateTimer(Look);
    }

    public FairShares Shares => shares;

    /// <summary>Binds a port; before the reactor starts. A port for STUN alone takes nothing else.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be bound.</exception>
    public IPEndPoint Open(IPEndPoint bind, bool isStunOnly)
    {
        UdpPort port = new(this, isStunOnly);
        port.Open(reactor, bind);
        ports.Add(port);
        return port.Socket.LocalEndPoint;
    }

    /// <summary>Sends a train of frames, which are readdressed already, to a UDP leg. Any thread; the batch is no longer the caller's.</summary>
    public void Send(RelayBatch batch)
    {
        int all = Interlocked.Add(ref pending, batch.Length);
        if (batch.Source.Pend(batch.Length) > MaxPending - all)
        {
            // As much as is left for others: who floods leaves them room.
            Unpend(batch);
            counters.Drop(DropReason.QueueFull, batch.Frames);
            batch.Return();
            return;
        }

        reactor.Post(sendBatch, batch);
    }

    /// <summary>Before the reactor ends: the loop closes the sockets.</summary>
    public void Dispose()
    {
        foreach (UdpPort port in ports)
        {
            port.Dispose();
        }
    }

    /// <summary>A train from one sender: nearly always of one kind, from one session, to one destination.</summary>
    internal void Receive(UdpPort port, in UdpAddress from, Span<byte> train, int segmentSize)
    {
        if (reactor.Now - lookedAt >= LookEvery)
        {
            Look();
        }

        int at = 0;
        while (at < train.Length)
        {
            int end = Math.Min(at + segmentSize, train.Length);
            ReadOnlySpan<byte> first = train[at..end];
            if (port.IsStunOnly || PacketKinds.Of(first) != PacketKind.RelayData || !RelayFrame.TryRead(first, out RelayFrame header))
            {
                ReceiveOther(port, from, first);
            }
            else
            {
                end = EndOfGroup(train, at, end, segmentSize);
                Relay(port, from, header, train[at..end], segmentSize);
            }

            at = end;
        }
    }

    private void Look()
    {
        lookedAt = reactor.Now;
        bool isPile = ports.Exists(static port => port.Socket.Behind > Crowded);
        shares.Look(isPile);
        if (isPile)
        {
            // Until it is gone, should nothing come any more.
            lookAgain.Set(reactor.Now + LookEvery);
        }
    }

    private static int EndOfGroup(ReadOnlySpan<byte> train, int at, int end, int segmentSize)
    {
        ReadOnlySpan<byte> header = train.Slice(at, RelayFrame.HeaderLength);
        while (train.Length - end >= RelayFrame.HeaderLength && train.Slice(end, RelayFrame.HeaderLength).SequenceEqual(header))
        {
            end = Math.Min(end + segmentSize, train.Length);
        }

        return end;
    }

    private void Relay(UdpPort port, in UdpAddress from, in RelayFrame header, Span<byte> group, int segmentSize)
    {
        int frames = UdpSocket.Segments(group.Length, segmentSize);
        if (!sessions.TryGetById(header.Session, out Session? source))
        {
            counters.Drop(DropReason.Session, frames);
            return;
        }

        if (source.Bound is not { } bound || bound.Socket != port.Socket || !bound.Address.Equals(from))
        {
            counters.Drop(DropReason.Address, frames);
            AskForHello(port, from, source);
            return;
        }

        if (!sessions.TryGetByAddress(header.Address, out Session? destination))
        {
            TellGone(source, bound, header.Address, frames);
            return;
        }

        int passed = shares.Take(source.Sent, group.Length, segmentSize, reactor.Now, out DropReason limit);
        if (passed < group.Length)
        {
            group = group[..passed];
            int left = UdpSocket.Segments(passed, segmentSize);
            counters.Drop(limit, frames - left);
            if (left == 0)
            {
                return;
            }

            frames = left;
        }

        source.RelayedAt = reactor.Now;
        RelayFrame readdressed = new(source.Address, 0);
        for (int at = 0; at < group.Length; at += segmentSize)
        {
            readdressed.WriteHeader(group[at..]);
        }

        UdpLeg? leg = destination.UsableLeg(reactor.Now);
        if (leg is null)
        {
            Enqueue(destination, group, segmentSize);
        }
        else if (Math.Min(segmentSize, group.Length) > RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload)
        {
            counters.Drop(DropReason.TooBig, frames);
        }
        else
        {
            SendTrain(leg, group, segmentSize, frames);
        }
    }

    private void Enqueue(Session destination, ReadOnlySpan<byte> group, int segmentSize)
    {
        for (int at = 0; at < group.Length; at += segmentSize)
        {
            ReadOnlySpan<byte> frame = group.Slice(at, Math.Min(segmentSize, group.Length - at));
            if (frame.Length > RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload)
            {
                counters.Drop(DropReason.TooBig);
            }
            else if (destination.Outbound.Enqueue(frame))
            {
                counters.SentBySocket(1, frame.Length);
            }
            else
            {
                counters.Drop(DropReason.PeerGone);
            }
        }
    }

    private void SendTrain(UdpLeg leg, ReadOnlySpan<byte> train, int segmentSize, int frames)
    {
        if (leg.Socket.Send(leg.Address, train, segmentSize) == SendResult.Sent)
        {
            counters.SentByUdp(frames, train.Length);
        }
        else
        {
            counters.Drop(DropReason.SocketFull, frames);
        }
    }

    private void SendBatch(RelayBatch batch)
    {
        Unpend(batch);
        if (batch.Destination.UsableLeg(reactor.Now) is { } leg)
        {
            SendTrain(leg, batch.Train, batch.SegmentSize, batch.Frames);
        }
        else
        {
            Enqueue(batch.Destination, batch.Train, batch.SegmentSize);
        }

        batch.Return();
    }

    private void Unpend(RelayBatch batch)
    {
        Interlocked.Add(ref pending, -batch.Length);
        batch.Source.Pend(-batch.Length);
    }

    private void TellGone(Session source, UdpLeg bound, MeshAddress peer, int frames)
    {
        counters.Drop(DropReason.PeerGone, frames);
        if (source.MayTellGone(reactor.Now))
        {
            Span<byte> gone = stackalloc byte[PeerGone.Length];
            PeerGone.Write(gone, peer);
            bound.Socket.Send(bound.Address, gone, gone.Length);
        }
    }

    // A NAT has mapped the agent anew; shorter than what it answers, and few: nothing for an amplifier.
    private void AskForHello(UdpPort port, in UdpAddress from, Session source)
    {
        if (source.MayTellGone(reactor.Now))
        {
            Span<byte> wanted = stackalloc byte[HelloWanted.Length];
            HelloWanted.Write(wanted, source.Id);
            port.Socket.Send(from, wanted, wanted.Length);
        }
    }

    private void ReceiveOther(UdpPort port, in UdpAddress from, ReadOnlySpan<byte> datagram)
    {
        switch (PacketKinds.Of(datagram))
        {
            case PacketKind.Stun when Stun.TryReadRequest(datagram, out StunRequest request):
                AnswerStun(port, from, request);
                break;
            case PacketKind.RelayHello when !port.IsStunOnly && RelayHello.TryRead(datagram, out RelayHello hello):
                AnswerHello(port, from, hello, datagram);
                break;
            default:
                if (PacketKinds.IsForeignVersion(datagram, out int version))
                {
                    counters.Drop(DropReason.Version);
                    versions.Saw(version, reactor.Now);
                }
                else
                {
                    counters.Drop(DropReason.Malformed);
                }

                break;
        }
    }

    private void AnswerStun(UdpPort port, in UdpAddress from, StunRequest request)
    {
        Span<byte> answer = stackalloc byte[Stun.MaxLength];
        int length = request.UnknownAttribute == 0
            ? Stun.WriteSuccess(answer, request.Transaction, Wire(from))
            : Stun.WriteUnknownAttribute(answer, request.Transaction, request.UnknownAttribute);
        port.Socket.Send(from, answer[..length], length);
        counters.AnsweredStun();
    }

    private void AnswerHello(UdpPort port, in UdpAddress from, in RelayHello hello, ReadOnlySpan<byte> datagram)
    {
        if (!sessions.TryGetById(hello.Session, out Session? session) || !RelayHello.Verify(datagram, session.Key))
        {
            counters.Drop(DropReason.Session);
            return;
        }

        UdpLeg leg = session.Bound is { } bound && bound.Socket == port.Socket && bound.Address.Equals(from) ? bound : new UdpLeg(port.Socket, from);
        if (!session.Hello(leg, hello.Nonce, reactor.Now))
        {
            counters.Drop(DropReason.Address);
            return;
        }

        Span<byte> answer = stackalloc byte[RelayHelloAnswer.MaxLength];
        int length = new RelayHelloAnswer(hello.Nonce, Wire(from)).Write(answer, session.Key);
        port.Socket.Send(from, answer[..length], length);
        counters.AnsweredHello();
    }

    private static WireAddress Wire(in UdpAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        int size = address.Family == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 16;
        address.CopyAddress(bytes[..size]);
        return WireAddress.FromBytes(bytes[..size], address.Port);
    }
}
