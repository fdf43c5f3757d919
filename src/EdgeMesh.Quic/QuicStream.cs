using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>A bidirectional stream. In the loop only. Without a handler its data is thrown away.</summary>
public sealed unsafe class QuicStream
{
    private readonly ByteQueue queue;
    private ReceiveWindow receiveWindow;
    private long acked;
    private long unconsumed;
    private bool wantsRoom;
    private bool discards;

    internal QuicStream(QuicConnection connection, long id, ByteQueue queue)
    {
        Connection = connection;
        Id = id;
        this.queue = queue;
        receiveWindow = new ReceiveWindow(connection.Endpoint.Options.StreamWindow, connection.Endpoint.Options.MaxStreamWindow);
    }

    public long Id { get; }

    public QuicConnection Connection { get; }

    public IStreamHandler? Handler { get; set; }

    /// <summary>For the owner's own use.</summary>
    public object? Owner { get; set; }

    /// <summary>Both sides are done or the connection is gone: nothing can be sent any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Free bytes of the send buffer, what it may still grow included; 0 after <see cref="Finish"/> or a reset.</summary>
    public int SendRoom => CannotSend ? 0 : Math.Max(0, Connection.StreamSendLimit - queue.Length);

    /// <summary>Bytes handed over and not yet acknowledged by the peer.</summary>
    public int SendBacklog => queue.Length;

    /// <summary>Place in the connection's table, handed to ngtcp2 as the stream's user data (0 = none).</summary>
    internal int Slot { get; set; }

    internal ref ReceiveWindow ReceiveWindow => ref receiveWindow;

    internal bool IsQueued { get; set; }

    internal bool IsParked { get; set; }

    internal bool IsAwaitingNotice { get; set; }

    internal bool FinQueued { get; private set; }

    internal bool FinSent { get; private set; }

    internal bool SendReset { get; private set; }

    internal int Unsent => queue.Unsent;

    internal bool HasWork => !IsClosed && !SendReset && (queue.Unsent > 0 || (FinQueued && !FinSent));

    private bool CannotSend => IsClosed || FinQueued || SendReset || Connection.IsClosed;

    /// <summary>
    /// A contiguous free part of the send buffer; empty = no room. Valid until the next call; always followed by
    /// <see cref="CommitSend"/>, with 0 if nothing came.
    /// </summary>
    public Span<byte> GetSendSpan()
    {
        int room = SendRoom;
        if (room == 0)
        {
            wantsRoom = !CannotSend;
            return default;
        }

        Span<byte> span = queue.FreeSpan(atLeastLarge: false);
        return span.Length > room ? span[..room] : span;
    }

    /// <summary>The first <paramref name="count"/> bytes of <see cref="GetSendSpan"/> are to be sent.</summary>
    public void CommitSend(int count)
    {
        queue.Commit(count);
        if (count > 0)
        {
            Connection.AddBuffered(count);
            Connection.Enqueue(this);
        }
    }

    /// <summary>Copies what fits.</summary>
    /// <returns>How much that was.</returns>
    public int Write(ReadOnlySpan<byte> data)
    {
        int count = Math.Min(SendRoom, data.Length);
        if (count < data.Length)
        {
            wantsRoom = !CannotSend;
        }

        if (count > 0)
        {
            queue.Write(data[..count]);
            Connection.AddBuffered(count);
            Connection.Enqueue(this);
        }

        return count;
    }

    /// <summary>FIN behind what is committed.</summary>
    public void Finish()
    {
        if (!CannotSend)
        {
            FinQueued = true;
            Connection.Enqueue(this);
        }
    }

    /// <summary>RESET_STREAM: what is not yet acknowledged may be lost.</summary>
    public void Reset(ulong code)
    {
        if (!IsClosed && !SendReset && Connection.ShutdownWrite(this, code))
        {
            SendReset = true;
        }
    }

    /// <summary>STOP_SENDING: what still comes is thrown away, its credit given back.</summary>
    public void StopSending(ulong code)
    {
        if (!IsClosed && !discards && Connection.ShutdownRead(this, code))
        {
            discards = true;
        }
    }

    /// <summary>Gives flow-control credit back for bytes that were delivered and are done with; also after the stream closed.</summary>
    public void Consume(int bytes)
    {
        int count = (int)Math.Min(bytes, unconsumed);
        if (count > 0)
        {
            unconsumed -= count;
            Connection.ExtendCredit(this, count);
        }
    }

    /// <summary>Called by the peer's data.</summary>
    internal void Deliver(ReadOnlySpan<byte> data, bool fin)
    {
        unconsumed += data.Length;
        if (Handler is { } handler && !discards)
        {
            handler.OnData(this, data, fin);
        }
        else
        {
            Consume(data.Length);
        }
    }

    internal int Gather(NgVec* vectors, int count, int limit, out int bytes) => queue.Gather(vectors, count, limit, out bytes);

    internal void Advance(int count, bool fin)
    {
        queue.Advance(count);
        FinSent |= fin;
    }

    /// <summary>Frees what the peer has up to an offset.</summary>
    /// <returns>Whether the handler waits for room and there is enough of it to be worth a call.</returns>
    internal bool Acknowledge(long offset)
    {
        int count = (int)(offset - acked);
        if (count > 0)
        {
            acked = offset;
            queue.Release(count);
            Connection.AddBuffered(-count);
        }

        return wantsRoom && !IsAwaitingNotice && (SendRoom >= ChunkPool.LargeSize || queue.Length == 0);
    }

    internal void NotifyRoom()
    {
        IsAwaitingNotice = false;
        if (wantsRoom && !IsClosed)
        {
            wantsRoom = false;
            Handler?.OnWritable(this);
        }
    }

    /// <summary>ngtcp2 says the peer wants no more of what we send.</summary>
    internal void StoppedByPeer()
    {
        if (!SendReset)
        {
            SendReset = true;
            Handler?.OnStopSending(this, TcpSplice.ResetCode);
        }
    }

    internal void Close()
    {
        if (IsClosed)
        {
            return;
        }

        IsClosed = true;
        Connection.ReleaseGrowth(this);
        Connection.AddBuffered(-queue.Length);
        queue.Clear();
        IStreamHandler? handler = Handler;
        handler?.OnClosed(this);
        if (handler is null)
        {
            Consume(int.MaxValue);
        }
    }
}
