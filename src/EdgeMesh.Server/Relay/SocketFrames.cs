using System.Buffers.Binary;

using EdgeMesh.Quic;
using EdgeMesh.Server.Sessions;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Relay;

/// <summary>
/// Relays what one session's WebSocket brings. Owned by that session's receiver, so it keeps the train that is being filled
/// for a UDP leg without a lock; <see cref="Flush"/> hands it to the reactor.
/// </summary>
internal sealed class SocketFrames(Session source, SessionTable sessions, UdpRelay udp, FairShares shares, RelayCounters counters)
{
    private RelayBatch? batch;
    private bool isOverLimit;

    /// <summary>How long to wait before more is read, ns: for an agent that sends more than it may.</summary>
    public long Pause { get; private set; }

    /// <summary>
    /// Takes the whole records at the start of the bytes and returns how many bytes they were; -1 when the bytes are no
    /// records. Frames are readdressed in place.
    /// </summary>
    public int Receive(Span<byte> bytes)
    {
        int at = 0;
        isOverLimit = false;
        while (bytes.Length - at >= RelayRecords.Overhead)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (length > RelayFrame.HeaderLength + RelayFrame.MaxWebSocketPayload)
            {
                return -1;
            }

            if (bytes.Length - at - RelayRecords.Overhead < length)
            {
                break;
            }

            Relay(bytes.Slice(at + RelayRecords.Overhead, length));
            at += RelayRecords.Overhead + length;
        }

        Flush();
        Pause = isOverLimit ? shares.PauseAfter(at) : 0;
        return at;
    }

    private void Relay(Span<byte> frame)
    {
        if (!RelayFrame.TryRead(frame, out RelayFrame header))
        {
            counters.Drop(PacketKinds.IsForeignVersion(frame, out _) ? DropReason.Version : DropReason.Malformed);
            return;
        }

        if (header.Session != source.Id)
        {
            counters.Drop(DropReason.Session);
            return;
        }

        long now = Reactor.Clock();
        if (!sessions.TryGetByAddress(header.Address, out Session? destination))
        {
            TellGone(header.Address, now);
            return;
        }

        if (shares.Take(source.Sent, frame.Length, frame.Length, now, out DropReason limit) == 0)
        {
            counters.Drop(limit);
            isOverLimit |= limit != DropReason.TotalRate;
            return;
        }

        source.RelayedAt = now;
        new RelayFrame(source.Address, 0).WriteHeader(frame);
        if (destination.UsableLeg(now) is null)
        {
            Enqueue(destination, frame);
        }
        else if (frame.Length > RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload)
        {
            counters.Drop(DropReason.TooBig);
        }
        else
        {
            AddToBatch(destination, frame);
        }
    }

    private void Enqueue(Session destination, ReadOnlySpan<byte> frame)
    {
        if (destination.Outbound.Enqueue(frame))
        {
            counters.SentBySocket(1, frame.Length);
        }
        else
        {
            counters.Drop(DropReason.PeerGone);
        }
    }

    private void AddToBatch(Session destination, ReadOnlySpan<byte> frame)
    {
        if (batch is not null && batch.Destination == destination && batch.TryAdd(frame))
        {
            return;
        }

        Flush();
        batch = new RelayBatch(source.Sent, destination);
        batch.TryAdd(frame);
    }

    private void Flush()
    {
        if (batch is not null)
        {
            udp.Send(batch);
            batch = null;
        }
    }

    private void TellGone(MeshAddress peer, long now)
    {
        counters.Drop(DropReason.PeerGone);
        if (source.MayTellGone(now))
        {
            Span<byte> gone = stackalloc byte[PeerGone.Length];
            PeerGone.Write(gone, peer);
            source.Outbound.Enqueue(gone);
        }
    }
}
