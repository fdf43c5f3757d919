using System.Buffers;
using System.Net.Sockets;
using System.Text;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>
/// Near side of one forwarded TCP connection: header, then what the client sends, at once; those early bytes are also kept until
/// the far agent's status byte, so that a negative one gives them back. From a positive status on a <see cref="TcpSplice"/> carries it.
/// <para>At most once: a status that promises non-delivery releases the socket; silence or a broken connection after a payload
/// byte was handed to the stream resets the client (<see cref="DialStatus.Lost"/>).</para>
/// In the loop only, but for the constructor and <see cref="Completion"/>.
/// </summary>
internal sealed class ForwardedTcp : ITcpEvents, IStreamHandler, IStreamUser
{
    /// <summary>How much is kept of what a client says before the status; then its window closes until the status comes.</summary>
    public const int MaxEarlyBytes = 64 * 1024;

    private const int FirstEarlyBytes = 4 * 1024;
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(15);

    // Who waits goes on in the loop: counting, or handing the socket to another attempt, which is posted. Waking a pool thread for it
    // would cost more than it does.
    private readonly TaskCompletionSource<TcpForwardResult> completion = new();
    private readonly Reactor reactor;
    private readonly DialTarget target;
    private readonly Socket client;
    private byte[] early;
    private int earlyLength;
    private int earlyWritten;
    private bool clientFinished;
    private ReactorTcp? tcp;
    private QuicStream? stream;
    private ReactorTimer? patience;
    private TcpSplice? splice;
    private Action? onOver;
    private bool holdsPayload;
    private bool isJoining;
    private byte[] fromPeer = [];
    private bool fromPeerFinished;
    private bool isOver;

    public ForwardedTcp(Reactor reactor, DialTarget target, Socket client, ReadOnlyMemory<byte> replay)
    {
        this.reactor = reactor;
        this.target = target;
        this.client = client;
        early = ArrayPool<byte>.Shared.Rent(Math.Max(FirstEarlyBytes, replay.Length));
        replay.Span.CopyTo(early);
        earlyLength = replay.Length;
    }

    public Task<TcpForwardResult> Completion => completion.Task;

    public DialTarget Target => target;

    public bool IsOver => isOver;

    /// <inheritdoc/>
    public void Start(QuicStream onStream, bool holdPayload, Action over)
    {
        onOver = over;
        holdsPayload = holdPayload;
        stream = onStream;
        onStream.Handler = this;
        tcp = ReactorTcp.Adopt(reactor, client, this);
        patience = reactor.CreateTimer(OnSilence);
        patience.Set(reactor.Now + (long)StatusPatience.TotalNanoseconds);
        Span<byte> header = stackalloc byte[ServiceHeader.MaxLength];
        int length = HeaderOf(target, header);
        if (length == 0 || onStream.Write(header[..length]) != length)
        {
            EndUnsent(DialStatus.Busy);
            return;
        }

        Pump();
    }

    /// <summary>No stream could be had: the socket is the caller's again. Nothing happens once it was started.</summary>
    public void Fail(DialStatus status)
    {
        if (stream is null)
        {
            EndUnsent(status);
        }
    }

    /// <summary>The owner stops: an attempt without status ends now, a running connection is reset.</summary>
    public void Abort()
    {
        if (splice is not null)
        {
            splice.Abort();
        }
        else if (stream is null)
        {
            EndUnsent(DialStatus.PeerUnreachable);
        }
        else
        {
            EndWithoutStatus(DialStatus.PeerUnreachable);
        }
    }

    void ITcpEvents.OnConnected()
    {
    }

    void ITcpEvents.OnFailed(SocketError error) => EndGone();

    void ITcpEvents.OnReadable() => Pump();

    void ITcpEvents.OnWritable()
    {
    }

    void IStreamHandler.OnWritable(QuicStream s) => Pump();

    void IStreamHandler.OnData(QuicStream s, ReadOnlySpan<byte> data, bool fin)
    {
        if (isOver)
        {
            s.Consume(data.Length);
            return;
        }

        if (isJoining)
        {
            Join(data, fin);
            return;
        }

        if (data.IsEmpty)
        {
            if (fin)
            {
                EndWithoutStatus(DialStatus.PeerUnreachable);
            }

            return;
        }

        DialStatus status = StreamStatus.Read(data[0]);
        s.Consume(1);
        if (status == DialStatus.Ok)
        {
            Join(data[1..], fin);
            return;
        }

        s.Consume(data.Length - 1);
        EndUnsent(status);
    }

    void IStreamHandler.OnReset(QuicStream s, ulong code) => EndWithoutStatus(DialStatus.PeerUnreachable);

    void IStreamHandler.OnStopSending(QuicStream s, ulong code) => EndWithoutStatus(DialStatus.PeerUnreachable);

    void IStreamHandler.OnClosed(QuicStream s) => EndWithoutStatus(DialStatus.PeerUnreachable);

    internal static int HeaderOf(in DialTarget target, Span<byte> destination)
    {
        Span<byte> space = stackalloc byte[128];
        Span<byte> name = stackalloc byte[128];
        ServiceHeader header = new()
        {
            Protocol = target.Protocol,
            Endpoint = WireAddress.From(target.Endpoint),
            Client = WireAddress.From(target.Client),
            Namespace = space[..Encoding.UTF8.GetBytes(target.Service.Namespace ?? "", space)],
            Service = name[..Encoding.UTF8.GetBytes(target.Service.Name ?? "", name)],
        };
        return header.Write(destination);
    }

    // Client → early buffer → stream. Edge-triggered: goes on until the client has no more, the buffer is full or the ring is.
    private void Pump()
    {
        if (isOver || splice is not null || tcp is null || stream is null)
        {
            return;
        }

        if (isJoining)
        {
            BeginSplice();
            return;
        }

        while (true)
        {
            if (earlyWritten < earlyLength && !holdsPayload)
            {
                earlyWritten += stream.Write(early.AsSpan(earlyWritten, earlyLength - earlyWritten));
                if (earlyWritten < earlyLength)
                {
                    return;
                }
            }

            if (clientFinished || !tcp.MayReceive || !MakeEarlyRoom())
            {
                return;
            }

            int got = tcp.Receive(early.AsSpan(earlyLength));
            switch (got)
            {
                case > 0:
                    earlyLength += got;
                    break;
                case 0:
                    // The splice meets the FIN again and passes it on, behind the early bytes.
                    clientFinished = true;
                    return;
                case ReactorTcp.WouldBlock:
                    return;
                default:
                    EndGone();
                    return;
            }
        }
    }

    private bool MakeEarlyRoom()
    {
        if (earlyLength < early.Length)
        {
            return true;
        }

        if (early.Length >= MaxEarlyBytes)
        {
            return false;
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(MaxEarlyBytes, early.Length * 4));
        early.AsSpan(0, earlyLength).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(early);
        early = larger;
        return true;
    }

    // The far side has the connection. The splice may begin once the early bytes are all in the ring; on a crowded connection
    // that can take a while, what comes from the far side meanwhile waits with its credit.
    private void Join(ReadOnlySpan<byte> data, bool fin)
    {
        isJoining = true;
        patience!.Cancel();
        fromPeer = fromPeer.Length == 0 ? data.ToArray() : [.. fromPeer, .. data];
        fromPeerFinished |= fin;
        BeginSplice();
    }

    private void BeginSplice()
    {
        earlyWritten += stream!.Write(early.AsSpan(earlyWritten, earlyLength - earlyWritten));
        if (earlyWritten < earlyLength)
        {
            return;
        }

        int sentEarly = earlyLength;
        ReturnEarly();
        splice = new TcpSplice(tcp!, stream, done => Finish(new TcpForwardResult(
            DialStatus.Ok, default, done.BytesToStream + sentEarly, done.BytesFromStream)));
        splice.Start(fromPeer, fromPeerFinished);
        fromPeer = [];
    }

    private void OnSilence() => EndWithoutStatus(DialStatus.Unreachable);

    // Nobody knows what the far side did with what was sent; with nothing sent, nothing can have been delivered.
    private void EndWithoutStatus(DialStatus ifNothingSent)
    {
        if (isOver || splice is not null)
        {
            return;
        }

        if (earlyWritten == 0 && ifNothingSent != DialStatus.Lost)
        {
            EndUnsent(ifNothingSent);
            return;
        }

        isOver = true;
        stream!.Reset(TcpSplice.ResetCode);
        tcp!.Reset();
        Finish(new TcpForwardResult(DialStatus.Lost, default, earlyWritten, 0));
    }

    // Not delivered for certain: the caller gets the socket and every byte back.
    private void EndUnsent(DialStatus status)
    {
        if (isOver)
        {
            return;
        }

        isOver = true;
        if (stream is { } opened)
        {
            opened.Reset(TcpSplice.ResetCode);
            opened.StopSending(TcpSplice.ResetCode);
        }

        tcp?.Release();
        Finish(new TcpForwardResult(status, early.AsSpan(0, earlyLength).ToArray(), 0, 0));
    }

    // The client itself went away before any status.
    private void EndGone()
    {
        if (isOver)
        {
            return;
        }

        isOver = true;
        stream?.Reset(TcpSplice.ResetCode);
        stream?.StopSending(TcpSplice.ResetCode);
        tcp?.Dispose();
        Finish(new TcpForwardResult(DialStatus.Ok, default, earlyWritten, 0));
    }

    private void Finish(TcpForwardResult result)
    {
        isOver = true;
        onOver?.Invoke();
        onOver = null;
        patience?.Cancel();
        ReturnEarly();
        completion.TrySetResult(result);
    }

    private void ReturnEarly()
    {
        if (early.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(early);
            early = [];
        }
    }
}
