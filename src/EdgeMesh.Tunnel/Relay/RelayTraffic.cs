using System.Buffers;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>The three activities on a WebSocket that stands: send, receive, ask whether the server is still there.</summary>
internal sealed class RelayTraffic(
    ClientWebSocket socket,
    RelaySession session,
    OutboundQueue outbound,
    int maxPosted,
    Reactor reactor,
    RelayLink link,
    Func<ReadOnlySpan<byte>, Shard> shardOf,
    Action<RelayLink, SignalMessage> onServers,
    Action<RelayLink, byte[]> onRevoked) : IDisposable
{
    /// <summary>Without an acknowledgement of the kernel at the other end either, the connection is dead.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(2);

    /// <summary>With acknowledgements, of a proxy perhaps, but without an answer.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan AnswerStep = TimeSpan.FromMilliseconds(50);

    private readonly RevocationParts revocations = new();
    private readonly SemaphoreSlim slots = new(maxPosted, maxPosted);
    private Action? onFirstPong;
    private Action<string>? onText;

    /// <summary>Ends when one of the three ends; the others are ended with it.</summary>
    /// <returns>Why.</returns>
    public async Task<string> RunAsync(Action firstPong, Action<string> text, CancellationTokenSource ending)
    {
        onFirstPong = firstPong;
        onText = text;
        Task<string>[] tasks = [Guard(SendAsync(ending.Token)), Guard(ReceiveAsync(ending.Token)), Guard(PingAsync(ending.Token))];
        string why = await (await Task.WhenAny(tasks).ConfigureAwait(false)).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        socket.Abort();
        await Task.WhenAll(tasks).ConfigureAwait(false);
        return why;
    }

    public void Dispose() => slots.Dispose();

    private static async Task<string> Guard(Task<string> activity)
    {
        try
        {
            return await activity.ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            return fault.InnerException?.Message ?? fault.Message;
        }
    }

    private async Task<string> SendAsync(CancellationToken stop)
    {
        while (true)
        {
            (byte[]? text, OutboundQueue.Batch? frames) = await outbound.TakeAsync(stop).ConfigureAwait(false);
            if (text is not null)
            {
                await socket.SendAsync(text, WebSocketMessageType.Text, true, stop).ConfigureAwait(false);
            }
            else if (frames is not null)
            {
                await socket.SendAsync(frames.Buffer.AsMemory(0, frames.Length), WebSocketMessageType.Binary, true, stop).ConfigureAwait(false);
                outbound.Return(frames);
            }
            else
            {
                return "closed";
            }
        }
    }

    private async Task<string> ReceiveAsync(CancellationToken stop)
    {
        while (true)
        {
            await slots.WaitAsync(stop).ConfigureAwait(false);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(RelayRecords.MaxMessage);
            int length = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                if (length == buffer.Length)
                {
                    return "the server sent a message over 64 KiB";
                }

                result = await socket.ReceiveAsync(buffer.AsMemory(length), stop).ConfigureAwait(false);
                length += result.Count;
            }
            while (!result.EndOfMessage);

            session.Heartbeat.Heard();
            if (result.MessageType == WebSocketMessageType.Binary)
            {
                Shard shard = shardOf(buffer.AsSpan(0, length));
                shard.Reactor.Post(static m => m.Traffic.Deliver(m.Shard, m.Buffer, m.Length), (Traffic: this, Shard: shard, Buffer: buffer, Length: length));
                continue;
            }

            string? end = result.MessageType == WebSocketMessageType.Close
                ? $"closed by the server ({(int?)socket.CloseStatus} {socket.CloseStatusDescription})"
                : TakeText(buffer.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(buffer);
            slots.Release();
            if (end is not null)
            {
                return end;
            }
        }
    }

    private void Deliver(Shard shard, byte[] buffer, int length)
    {
        try
        {
            shard.OnRelayMessage(link, buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            try
            {
                slots.Release();
            }
            catch (ObjectDisposedException)
            {
                // The WebSocket is gone already; this was the last of what it brought.
            }
        }
    }

    private string? TakeText(ReadOnlySpan<byte> text)
    {
        SignalMessage? message = JsonSerializer.Deserialize(text, WireJson.Default.SignalMessage);
        switch (message?.Type)
        {
            case SignalMessage.Ping:
                Tell(new SignalMessage { Type = SignalMessage.Pong, T = message.T });
                break;
            case SignalMessage.Pong when long.TryParse(message.T, out long sentAt):
                long ticks = Stopwatch.GetTimestamp() - sentAt;
                session.RoundTrip = Math.Max(1, (long)(ticks * (1e9 / Stopwatch.Frequency)));
                onFirstPong?.Invoke();
                onFirstPong = null;
                break;
            case SignalMessage.Drain:
                onText!("is draining: other servers are used where there are any");
                reactor.Post(static s => s.Link.OnDrain(s.Session), (Link: link, Session: session));
                break;
            case SignalMessage.Revoked when TryReadPart(message, out RevocationPart part):
                if (revocations.Add(part) is { } whole)
                {
                    onRevoked(link, whole);
                }

                break;
            case SignalMessage.AllServers:
                onServers(link, message);
                break;
        }

        return null;
    }

    private static bool TryReadPart(SignalMessage message, out RevocationPart part)
    {
        part = default;
        byte[] bytes = new byte[message.List?.Length ?? 0];
        if (message is not { Number: { } number, Part: { } index, Parts: { } count, List: { } list }
            || !Convert.TryFromBase64String(list, bytes, out int length))
        {
            return false;
        }

        part = new RevocationPart(number, index, count, bytes.AsMemory(0, length));
        return true;
    }

    private async Task<string> PingAsync(CancellationToken stop)
    {
        Heartbeat heartbeat = session.Heartbeat;
        while (true)
        {
            long askedAt = Stopwatch.GetTimestamp();
            Tell(new SignalMessage { Type = SignalMessage.Ping, T = askedAt.ToString(System.Globalization.CultureInfo.InvariantCulture) });
            TimeSpan patience = AnswerPatience + TimeSpan.FromTicks(4 * session.RoundTrip / 100);
            while (heartbeat.End is null && !heartbeat.HasHeardSince(askedAt))
            {
                TimeSpan waited = Stopwatch.GetElapsedTime(askedAt);
                if (waited > Silence || (waited > patience && !heartbeat.IsAcknowledged(patience)))
                {
                    heartbeat.GiveUp(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"no answer for {waited.TotalSeconds:F1} s"));
                    return heartbeat.End!;
                }

                await Task.Delay(AnswerStep, stop).ConfigureAwait(false);
            }

            await heartbeat.WaitAsync(Patience.PingPause, stop).ConfigureAwait(false);
            if (heartbeat.End is { } why)
            {
                return why;
            }
        }
    }

    private void Tell(SignalMessage message) =>
        outbound.AddText(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Default.SignalMessage));
}
