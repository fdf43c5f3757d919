using System.Net.Sockets;

namespace EdgeMesh.Quic;

/// <summary>
/// Copies between a TCP connection and a stream until both directions are over: half-close as FIN, RST as reset code 1,
/// back-pressure both ways. Takes over the events of both. In the loop only.
/// <para>TCP to stream: recv(2) straight into the stream's send buffer. Stream to TCP: what the packets of a turn bring is put
/// together and sent with one call at its end; credit goes back to the peer only for what TCP took, so what waits here is
/// bounded by the stream's window.</para>
/// </summary>
public sealed class TcpSplice : IStreamHandler, ITcpEvents
{
    /// <summary>Application error code that stands for RST in RESET_STREAM and STOP_SENDING.</summary>
    public const ulong ResetCode = 1;

    // A turn reads at most this much from one connection, then the others have theirs.
    private const int BytesPerTurn = 256 << 10;

    private readonly ReactorTcp tcp;
    private readonly QuicStream stream;
    private readonly Action<TcpSplice> onDone;
    private readonly ByteQueue toTcp;
    private readonly Action drain;
    private readonly Action pump;
    private bool tcpWritable = true;
    private bool drainScheduled;
    private bool pumpScheduled;
    private bool streamFinished;
    private bool tcpFinished;
    private bool finSent;
    private bool tcpClosed;
    private bool streamClosed;
    private bool done;

    /// <param name="tcp">Owned from <see cref="Start"/> on.</param>
    /// <param name="onDone">Called once, last: both directions are over, the socket is closed, the peer has everything or the stream was reset.</param>
    public TcpSplice(ReactorTcp tcp, QuicStream stream, Action<TcpSplice> onDone)
    {
        this.tcp = tcp;
        this.stream = stream;
        this.onDone = onDone;
        toTcp = new ByteQueue(stream.Connection.Endpoint.Chunks);
        drain = Drain;
        pump = Pump;
    }

    /// <summary>TCP to stream.</summary>
    public long BytesToStream { get; private set; }

    /// <summary>Stream to TCP.</summary>
    public long BytesFromStream { get; private set; }

    /// <summary>Whether either side ended in a reset instead of two FINs.</summary>
    public bool WasReset { get; private set; }

    /// <param name="alreadyFromStream">What the stream delivered before, behind the owner's header; its credit has not been given back (the splice calls <see cref="QuicStream.Consume"/> for it).</param>
    /// <param name="streamFin">Whether the stream's FIN came with it.</param>
    public void Start(ReadOnlySpan<byte> alreadyFromStream, bool streamFin)
    {
        stream.Handler = this;
        tcp.Events = this;
        if (stream.IsClosed)
        {
            streamClosed = true;
            Fail();
            return;
        }

        toTcp.Write(alreadyFromStream);
        streamFinished = streamFin;
        Drain();
        Pump();
    }

    /// <summary>Resets both sides.</summary>
    public void Abort() => Fail();

    void IStreamHandler.OnData(QuicStream s, ReadOnlySpan<byte> data, bool fin)
    {
        if (tcpClosed)
        {
            stream.Consume(data.Length);
            return;
        }

        toTcp.Write(data);
        streamFinished |= fin;
        if (tcpWritable && !drainScheduled)
        {
            drainScheduled = true;
            tcp.Reactor.AtEndOfTurn(drain);
        }
    }

    void IStreamHandler.OnWritable(QuicStream s) => Pump();

    void IStreamHandler.OnReset(QuicStream s, ulong code) => Fail();

    void IStreamHandler.OnStopSending(QuicStream s, ulong code) => Fail();

    void IStreamHandler.OnClosed(QuicStream s)
    {
        streamClosed = true;
        if (!streamFinished || !tcpFinished)
        {
            // The connection is gone in the middle of it.
            Fail();
        }
        else
        {
            // What the peer sent is here; TCP may still have to take it.
            FinishIfOver();
        }
    }

    void ITcpEvents.OnConnected()
    {
    }

    void ITcpEvents.OnFailed(SocketError error) => Fail();

    void ITcpEvents.OnReadable() => Pump();

    void ITcpEvents.OnWritable()
    {
        tcpWritable = true;
        Drain();
    }

    /// <summary>TCP to stream.</summary>
    private void Pump()
    {
        pumpScheduled = false;
        if (tcpClosed)
        {
            return;
        }

        if (tcpFinished)
        {
            if (tcp.IsBroken)
            {
                Fail();
            }

            return;
        }

        int budget = BytesPerTurn;
        while (tcp.MayReceive)
        {
            Span<byte> room = stream.GetSendSpan();
            if (room.IsEmpty)
            {
                // The stream calls when it has room; a RST must get through all the same.
                if (tcp.IsBroken)
                {
                    Fail();
                }

                return;
            }

            int count = tcp.Receive(room);
            stream.CommitSend(Math.Max(count, 0));
            if (count <= 0)
            {
                AfterLastReceive(count);
                return;
            }

            BytesToStream += count;
            budget -= count;
            if (budget <= 0)
            {
                if (!pumpScheduled)
                {
                    pumpScheduled = true;
                    tcp.Reactor.NextTurn(pump);
                }

                return;
            }
        }
    }

    private void AfterLastReceive(int result)
    {
        if (result == 0)
        {
            tcpFinished = true;
            stream.Finish();
            FinishIfOver();
        }
        else if (result == ReactorTcp.WasReset)
        {
            Fail();
        }
    }

    /// <summary>Stream to TCP.</summary>
    private void Drain()
    {
        drainScheduled = false;
        if (tcpClosed)
        {
            return;
        }

        int sent = 0;
        while (toTcp.Length > 0)
        {
            ReadOnlySpan<byte> front = toTcp.Front;
            int count = tcp.Send(front);
            if (count == ReactorTcp.WasReset)
            {
                stream.Consume(sent);
                Fail();
                return;
            }

            if (count > 0)
            {
                sent += count;
                toTcp.Release(count);
            }

            if (count < front.Length)
            {
                tcpWritable = false;
                break;
            }
        }

        BytesFromStream += sent;
        stream.Consume(sent);
        if (toTcp.Length == 0 && streamFinished && !finSent)
        {
            finSent = true;
            tcp.ShutdownSend();
            FinishIfOver();
        }
    }

    private void FinishIfOver()
    {
        if (tcpFinished && finSent && !tcpClosed)
        {
            tcpClosed = true;
            tcp.Dispose();
        }

        if (tcpClosed && streamClosed && !done)
        {
            done = true;
            onDone(this);
        }
    }

    private void Fail()
    {
        if (!tcpClosed)
        {
            tcpClosed = true;
            WasReset = true;
            tcp.Reset();
            toTcp.Clear();
            stream.Consume(int.MaxValue);
            stream.Reset(ResetCode);
            stream.StopSending(ResetCode);
        }

        FinishIfOver();
    }
}
