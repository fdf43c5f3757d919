using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;

using EdgeMesh.Server.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>
/// The WebSocket of one session: a receiver and a sender that run until the agent leaves, misbehaves or is told to go.
/// The sender batches waiting records into messages of up to 64 KiB. Neither holds a buffer while there is nothing to do: most
/// of thousands of sessions are silent but for a ping.
/// </summary>
internal sealed class SessionSocket(WebSocket socket, Session session, SocketFrames frames, TimeProvider time)
{
    /// <summary>Holds any record; a TLS record brings at most 16 KiB at once.</summary>
    private const int ReceiveSize = 32 * 1024;

    private const int MaxText = 4 * 1024;
    private const int WrongData = 1002;
    private const int TooBig = 1009;

    /// <summary>How long the agent may take to answer a close; then its TCP connection goes.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Never throws: whatever the network does ends the session.</summary>
    public async Task RunAsync()
    {
        Task sending = SendAsync();
        Task receiving = ReceiveAsync();
        await Task.WhenAny(sending, receiving).ConfigureAwait(false);
        session.Close(1000, "");
        try
        {
            await Task.WhenAll(sending, receiving).WaitAsync(CloseTimeout, time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            session.Abort();
            await Task.WhenAll(sending, receiving).ConfigureAwait(false);
        }
    }

    private async Task ReceiveAsync()
    {
        byte[]? buffer = null;
        try
        {
            int held = 0;
            while (true)
            {
                if (held == 0)
                {
                    ReturnBuffer(ref buffer);

                    // A read of nothing waits for something without a buffer, down to the socket.
                    await socket.ReceiveAsync(Memory<byte>.Empty, session.Aborted).ConfigureAwait(false);
                    buffer = ArrayPool<byte>.Shared.Rent(ReceiveSize);
                }

                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(held), session.Aborted).ConfigureAwait(false);
                session.HeardAt = time.GetTimestamp();
                held += result.Count;
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                held = result.MessageType == WebSocketMessageType.Binary
                    ? TakeRecords(buffer.AsSpan(0, held), result.EndOfMessage)
                    : TakeText(buffer.AsSpan(0, held), result.EndOfMessage);
                if (held < 0)
                {
                    return;
                }

                if (result.MessageType == WebSocketMessageType.Binary && frames.Pause > 0)
                {
                    await Task.Delay(TimeSpan.FromTicks(frames.Pause / 100), time, session.Aborted).ConfigureAwait(false);
                }
            }
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // The connection is over; that is all there is to know.
        }
        finally
        {
            ReturnBuffer(ref buffer);
        }
    }

    private async Task SendAsync()
    {
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                while (session.Outbound.TryTakeControl(out byte[] message))
                {
                    await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Text, true, session.Aborted).ConfigureAwait(false);
                }

                if (session.Outbound.Bytes > 0)
                {
                    buffer ??= ArrayPool<byte>.Shared.Rent(RelayRecords.MaxMessage);
                    int taken = session.Outbound.Take(buffer.AsSpan(0, RelayRecords.MaxMessage));
                    if (taken == 0)
                    {
                        // Dropped in the meantime: all queues together are full.
                        continue;
                    }

                    await socket.SendAsync(buffer.AsMemory(0, taken), WebSocketMessageType.Binary, true, session.Aborted).ConfigureAwait(false);
                }
                else if (session.Outbound.IsClosed)
                {
                    (int code, string reason) = session.Farewell;
                    await socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, session.Aborted).ConfigureAwait(false);
                    return;
                }
                else
                {
                    ReturnBuffer(ref buffer);
                    await session.Outbound.WaitAsync().ConfigureAwait(false);
                }
            }
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // As above; the receiver sees it too.
            session.Abort();
        }
        finally
        {
            ReturnBuffer(ref buffer);
        }
    }

    private static void ReturnBuffer(ref byte[]? buffer)
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = null;
        }
    }

    /// <returns>How many bytes are kept, moved to the front, for what is still to come; -1: the session is to end.</returns>
    private int TakeRecords(Span<byte> bytes, bool isEnd)
    {
        int used = frames.Receive(bytes);
        if (used < 0 || (isEnd && used != bytes.Length))
        {
            session.Close(WrongData, "no records");
            return -1;
        }

        bytes[used..].CopyTo(bytes);
        return bytes.Length - used;
    }

    /// <returns>As <see cref="TakeRecords"/>.</returns>
    private int TakeText(Span<byte> bytes, bool isEnd)
    {
        if (bytes.Length > MaxText)
        {
            session.Close(TooBig, "text message over 4 KiB");
            return -1;
        }

        if (!isEnd)
        {
            return bytes.Length;
        }

        if (!TakeMessage(bytes))
        {
            session.Close(WrongData, "no message of edgemesh.v1");
            return -1;
        }

        return 0;
    }

    /// <summary>Unknown types are skipped: a newer agent may say more.</summary>
    private bool TakeMessage(ReadOnlySpan<byte> text)
    {
        try
        {
            SignalMessage? message = JsonSerializer.Deserialize(text, WireJson.Default.SignalMessage);
            switch (message?.Type)
            {
                case null:
                    return false;
                case SignalMessage.Ping:
                    session.Outbound.EnqueueControl(Signals.Pong(message.T));
                    return true;
                case SignalMessage.UdpLeg:
                    session.WantsUdp = message.Bound == true;
                    return true;
                default:
                    return true;
            }
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsEnd(Exception fault) =>
        fault is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException;
}
