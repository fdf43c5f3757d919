using System.Buffers;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>
/// Far side of one forwarded TCP connection: reads the header, checks that the endpoint is this node's, dials it, answers with
/// the status byte and splices. What comes behind the header meanwhile waits here, bounded by what a correct peer may send
/// before it has the status. In the loop only.
/// </summary>
internal sealed class AcceptedStream : IStreamHandler, ITcpEvents
{
    private const int MaxWaitingBytes = ForwardedTcp.MaxEarlyBytes + ServiceHeader.MaxLength;
    private static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(10);

    private readonly Reactor reactor;
    private readonly QuicStream stream;
    private readonly StreamAcceptor acceptor;
    private readonly Action onOver;
    private readonly ReactorTimer patience;
    private byte[] waiting = [];
    private int waitingLength;
    private int headerLength;
    private bool finished;
    private bool isOver;
    private ReactorTcp? tcp;
    private TcpSplice? splice;

    public AcceptedStream(Reactor reactor, QuicStream stream, StreamAcceptor acceptor, Action onOver)
    {
        this.reactor = reactor;
        this.stream = stream;
        this.acceptor = acceptor;
        this.onOver = onOver;
        acceptor.Begin();
        patience = reactor.CreateTimer(OnSilence);
        patience.Set(reactor.Now + (long)DialPatience.TotalNanoseconds);
    }

    void IStreamHandler.OnData(QuicStream s, ReadOnlySpan<byte> data, bool fin)
    {
        if (isOver)
        {
            s.Consume(data.Length);
            return;
        }

        if (!Keep(data))
        {
            End(reset: true);
            return;
        }

        finished |= fin;
        if (headerLength == 0)
        {
            ReadHeader();
        }
    }

    void IStreamHandler.OnWritable(QuicStream s)
    {
    }

    void IStreamHandler.OnReset(QuicStream s, ulong code) => End(reset: true);

    void IStreamHandler.OnStopSending(QuicStream s, ulong code) => End(reset: true);

    void IStreamHandler.OnClosed(QuicStream s) => End(reset: true);

    void ITcpEvents.OnConnected()
    {
        if (!isOver)
        {
            Splice();
        }
    }

    void ITcpEvents.OnFailed(SocketError error)
    {
        tcp?.Dispose();
        Answer(error switch
        {
            SocketError.ConnectionRefused => DialStatus.Refused,
            SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => DialStatus.Busy,
            _ => DialStatus.Unreachable,
        });
    }

    void ITcpEvents.OnReadable()
    {
    }

    void ITcpEvents.OnWritable()
    {
    }

    private bool Keep(ReadOnlySpan<byte> data)
    {
        int total = waitingLength + data.Length;
        if (total > MaxWaitingBytes)
        {
            return false;
        }

        if (total > waiting.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(512, total));
            waiting.AsSpan(0, waitingLength).CopyTo(larger);
            ReturnWaiting();
            waiting = larger;
        }

        data.CopyTo(waiting.AsSpan(waitingLength));
        waitingLength = total;
        return true;
    }

    private void ReadHeader()
    {
        if (!ServiceHeader.TryRead(waiting.AsSpan(0, waitingLength), out ServiceHeader header, out int length, out int need))
        {
            if (need == 0 || finished)
            {
                End(reset: true);
            }

            return;
        }

        headerLength = length;
        IPEndPoint endpoint = header.Endpoint.ToEndPoint();
        if (header.Endpoint.Port == 0 && header.Service.IsEmpty)
        {
            // A ping (docs/protocol.md): answered like a stranger's endpoint, not counted as one.
            acceptor.Count(DialStatus.NotMine, -1);
            Answer(DialStatus.NotMine);
        }
        else if (header.Protocol != TransportProtocol.Tcp || !acceptor.IsLocalEndpoint(TransportProtocol.Tcp, endpoint))
        {
            Answer(DialStatus.NotMine);
        }
        else if (acceptor.IsFull)
        {
            Answer(DialStatus.Busy);
        }
        else
        {
            Dial(endpoint);
        }
    }

    private void Dial(IPEndPoint endpoint)
    {
        try
        {
            tcp = ReactorTcp.Connect(reactor, endpoint, acceptor.SocketMark, this);
        }
        catch (SocketException)
        {
            // No file left: the other agent is told at once, or its client would wait for nothing.
            Answer(DialStatus.Busy);
            return;
        }

        if (acceptor.IsReserved(tcp.Descriptor))
        {
            tcp.Dispose();
            Answer(DialStatus.Busy);
            return;
        }

        if (tcp.HasConnected())
        {
            // What the client has said is there when the endpoint accepts, and the status leaves in this turn.
            Splice();
        }
    }

    private void Splice()
    {
        acceptor.Count(DialStatus.Ok);
        _ = stream.Write([StreamStatus.Write(DialStatus.Ok)]);
        stream.Consume(headerLength);
        byte[] buffer = waiting;
        int length = waitingLength;
        waiting = [];
        splice = new TcpSplice(tcp!, stream, _ => Leave());
        splice.Start(buffer.AsSpan(headerLength, length - headerLength), finished);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void OnSilence()
    {
        if (splice is not null)
        {
            // It lives longer than most. Nobody else notices an endpoint that is gone: the client's own probes end at its agent.
            tcp!.KeepAlive();
            return;
        }

        tcp?.Dispose();
        if (headerLength == 0)
        {
            End(reset: true);
        }
        else
        {
            Answer(DialStatus.Unreachable);
        }
    }

    private void Answer(DialStatus status)
    {
        if (isOver)
        {
            return;
        }

        acceptor.Count(status);
        _ = stream.Write([StreamStatus.Write(status)]);
        stream.Finish();
        stream.Consume(waitingLength);
        stream.StopSending(TcpSplice.ResetCode);
        tcp = null;
        Leave();
    }

    private void End(bool reset)
    {
        if (isOver || splice is not null)
        {
            return;
        }

        if (reset)
        {
            stream.Reset(TcpSplice.ResetCode);
            stream.StopSending(TcpSplice.ResetCode);
            stream.Consume(waitingLength);
        }

        tcp?.Dispose();
        Leave();
    }

    private void Leave()
    {
        if (isOver)
        {
            return;
        }

        isOver = true;
        patience.Cancel();
        acceptor.End();
        onOver();
        ReturnWaiting();
        waiting = [];
    }

    private void ReturnWaiting()
    {
        if (waiting.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(waiting);
        }
    }
}
