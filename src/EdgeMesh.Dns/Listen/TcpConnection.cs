using System.Buffers;
using System.Buffers.Binary;
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
        byte[] output = ArrayPool<byte>.Shared.Rent(DnsLimits.TcpMessage + 2);
        try
        {
            DnsReply reply = engine.Handle(query.Span, output.AsSpan(2, DnsLimits.TcpMessage), isStream: true, address);
            switch (reply.Outcome)
            {
                case DnsOutcome.Answer:
                    await SendAsync(output, reply.Length, stop).ConfigureAwait(false);
                    return true;
                case DnsOutcome.Ask:
                    await slots.WaitAsync(stop).ConfigureAwait(false);
                    waiting.TryRun(FinishAsync, (query.ToArray(), output.AsSpan(2, reply.Length).ToArray()));
                    return true;
                default:
                    // A stream that carries what is no query has lost its way.
                    return false;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(output);
        }
    }

    private async Task FinishAsync((byte[] Query, byte[] Key) later)
    {
        byte[] output = ArrayPool<byte>.Shared.Rent(DnsLimits.TcpMessage + 2);
        try
        {
            DnsReply reply = await engine.FinishAsync(later.Query, later.Key, output.AsMemory(2, DnsLimits.TcpMessage), isStream: true)
                .ConfigureAwait(false);
            if (reply.Outcome == DnsOutcome.Answer)
            {
                await SendAsync(output, reply.Length, broken.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The reader of this connection sees the same end and closes it.
            await broken.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(output);
            slots.Release();
        }
    }

    private async ValueTask SendAsync(byte[] framed, int length, CancellationToken stop)
    {
        using CancellationTokenSource idle = new(idleTimeout, time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(stop, idle.Token);
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)length);
        await writing.WaitAsync(both.Token).ConfigureAwait(false);
        try
        {
            for (int sent = 0; sent < length + 2;)
            {
                sent += await client.SendAsync(framed.AsMemory(sent, length + 2 - sent), SocketFlags.None, both.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            writing.Release();
        }
    }
}
