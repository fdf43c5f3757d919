using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Dns;

/// <summary>
/// One client's connection (RFC 7766): queries may follow each other without waiting, answers may overtake those that wait for
/// upstream. A client that is silent, or that does not take its answers, for the idle time-out is dropped.
/// </summary>
internal sealed class TcpConnection(Socket client, DnsEngine engine, TimeSpan idleTimeout, TimeProvider time) : IAsyncDisposable
{
    // More unanswered questions than this and the client is not read until some are answered.
    private const int MaxPipelined = 32;

    private readonly DnsAddress address = DnsAddress.From(((IPEndPoint)client.RemoteEndPoint!).Address);
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly SemaphoreSlim slots = new(MaxPipelined, MaxPipelined);
    private readonly CancellationTokenSource broken = new();
    private readonly TaskGroup waiting = new(MaxPipelined);

    public async Task RunAsync(CancellationToken stop)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1024);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(stop, broken.Token);
        try
        {
            while (await TryFillAsync(buffer.AsMemory(0, 2), isFirst: true, both.Token).ConfigureAwait(false))
            {
                int length = BinaryPrimitives.ReadUInt16BigEndian(buffer);
                if (length > buffer.Length)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(length);
                }

                await TryFillAsync(buffer.AsMemory(0, length), isFirst: false, both.Token).ConfigureAwait(false);
                if (!await AnswerAsync(buffer.AsMemory(0, length), both.Token).ConfigureAwait(false))
                {
                    return;
                }
            }

            // The client has finished asking, not listening.
            await waiting.CloseAsync().ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await broken.CancelAsync().ConfigureAwait(false);
        await waiting.CloseAsync().ConfigureAwait(false);
        broken.Dispose();
        writing.Dispose();
        slots.Dispose();
    }

    // False at the clean end of the stream, which can only come where a message would begin.
    private async ValueTask<bool> TryFillAsync(Memory<byte> room, bool isFirst, CancellationToken stop)
    {
        using CancellationTokenSource idle = new(idleTimeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(stop, idle.Token);
        int filled = 0;
        while (filled < room.Length)
        {
            int count = await client.ReceiveAsync(room[filled..], SocketFlags.None, both.Token).ConfigureAwait(false);
            if (count == 0)
            {
                return isFirst && filled == 0 ? false : throw new EndOfStreamException("ended within a message");
            }

            filled += count;
        }

        return true;
    }

    private async ValueTask<bool> AnswerAsync(ReadOnlyMemory<byte> query, CancellationToken stop)
    {
        switch (Handle(query.Span, null, 0, out byte[] message))
        {
            case DnsOutcome.Answer:
                await SendAsync(message, stop).ConfigureAwait(false);
                return true;
            case DnsOutcome.Ask:
                await slots.WaitAsync(stop).ConfigureAwait(false);
                waiting.TryRun(FinishAsync, (query.ToArray(), message));
                return true;
            default:
                // A stream that carries what is no query has lost its way.
                return false;
        }
    }

    private async Task FinishAsync((byte[] Query, byte[] Key) later)
    {
        try
        {
            long began = Stopwatch.GetTimestamp();
            Fetched fetched = await engine.FetchAsync(later.Key).ConfigureAwait(false);
            if (Handle(later.Query, fetched, began, out byte[] message) == DnsOutcome.Answer)
            {
                await SendAsync(message, broken.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The reader of this connection sees the same end and closes it.
            await broken.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }

    // The message as it goes on the stream, or the key to ask upstream. Room for the longest message is lent for this moment only: a
    // client that asks much and takes little holds no more than its answers.
    private DnsOutcome Handle(ReadOnlySpan<byte> query, Fetched? fetched, long began, out byte[] message)
    {
        byte[] room = ArrayPool<byte>.Shared.Rent(DnsLimits.TcpMessage);
        try
        {
            Span<byte> output = room.AsSpan(0, DnsLimits.TcpMessage);
            DnsReply reply = fetched is { } known
                ? engine.Finish(query, known, output, isStream: true, began)
                : engine.Handle(query, output, isStream: true, address);
            int head = reply.Outcome == DnsOutcome.Answer ? 2 : 0;
            message = new byte[head + reply.Length];
            output[..reply.Length].CopyTo(message.AsSpan(head));
            if (head > 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(message, (ushort)reply.Length);
            }

            return reply.Outcome;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private async ValueTask SendAsync(byte[] framed, CancellationToken stop)
    {
        using CancellationTokenSource idle = new(idleTimeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(stop, idle.Token);
        await writing.WaitAsync(both.Token).ConfigureAwait(false);
        try
        {
            for (int sent = 0; sent < framed.Length;)
            {
                sent += await client.SendAsync(framed.AsMemory(sent), SocketFlags.None, both.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            writing.Release();
        }
    }
}
