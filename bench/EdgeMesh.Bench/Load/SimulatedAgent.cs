using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>
/// What a real agent sends a server, without the agent: the WebSocket with its pings, taken up again with the real backoff, and
/// the UDP leg with its hellos and STUN requests.
/// </summary>
internal sealed class SimulatedAgent : IAsyncDisposable
{
    private readonly SimulatedIdentity identity;
    private readonly IPEndPoint server;
    private readonly AttemptLog log;
    private readonly Backoff backoff = new(Random.Shared);
    private readonly CancellationTokenSource stopping = new();
    private readonly SimulatedLeg leg;
    private Task running = Task.CompletedTask;
    private OutboundQueue? outbound;
    private long socketReceived;

    /// <param name="identity">Who it is.</param>
    /// <param name="server">Of TCP.</param>
    /// <param name="reactor">For its UDP socket.</param>
    /// <param name="log">Gets every attempt.</param>
    public SimulatedAgent(SimulatedIdentity identity, IPEndPoint server, Reactor reactor, AttemptLog log)
    {
        this.identity = identity;
        this.server = server;
        this.log = log;
        leg = new SimulatedLeg(reactor, identity.Source, bound => Tell(new SignalMessage { Type = SignalMessage.UdpLeg, Bound = bound }));
        Address = MeshAddress.Of(identity.Node);
    }

    public MeshAddress Address { get; }

    public ulong Session { get; private set; }

    public bool IsConnected => Volatile.Read(ref outbound) is not null;

    public SimulatedLeg Leg => leg;

    /// <summary>Without UDP everything takes the WebSocket. Counts from the next connection on.</summary>
    public bool UsesUdp { get; set; } = true;

    /// <summary>Payload bytes that came over either leg.</summary>
    public long Received => leg.Received + Interlocked.Read(ref socketReceived);

    public void Start() => running = RunAsync(stopping.Token);

    /// <summary>Relayed frames over the WebSocket. False: its queue is full.</summary>
    public bool TrySend(ReadOnlySpan<byte> frame) => Volatile.Read(ref outbound) is { } queue && queue.Add(frame);

    /// <summary>Ends the connection; the agent takes it up again as it does when a network fails.</summary>
    public void Cut() => Volatile.Read(ref outbound)?.Close();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        leg.Dispose();
        stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long began = Stopwatch.GetTimestamp();
            try
            {
                (SimulatedSocket? socket, Outcome outcome) = await SimulatedSocket.ConnectAsync(identity, server, stop);
                log.Add(outcome);
                if (socket is not null)
                {
                    using (socket)
                    {
                        await ServeAsync(socket, stop);
                    }
                }

                await Task.Delay(backoff.After(Stopwatch.GetElapsedTime(began), wasReplaced: false), stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(SimulatedSocket socket, CancellationToken stop)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using OutboundQueue queue = new(() => { });
        Session = ulong.Parse(socket.Welcome.Session!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (UsesUdp)
        {
            leg.Start(Session, Convert.FromBase64String(socket.Welcome.Key!), IPEndPoint.Parse(socket.Welcome.Udp![0]), IPEndPoint.Parse(socket.Welcome.Udp[1]));
        }

        Volatile.Write(ref outbound, queue);
        Task[] tasks = [SendAsync(socket.Socket, queue, ending.Token), ReceiveAsync(socket.Socket, ending.Token), PingAsync(ending.Token)];
        await Task.WhenAny(tasks);
        Volatile.Write(ref outbound, null);
        leg.Stop();
        await ending.CancelAsync();
        socket.Socket.Abort();
        await Task.WhenAll(tasks);
    }

    private static async Task SendAsync(WebSocket socket, OutboundQueue queue, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                (byte[]? text, OutboundQueue.Batch? frames) = await queue.TakeAsync(stop);
                if (text is not null)
                {
                    await socket.SendAsync(text.AsMemory(), WebSocketMessageType.Text, true, stop);
                }
                else if (frames is not null)
                {
                    await socket.SendAsync(frames.Buffer.AsMemory(0, frames.Length), WebSocketMessageType.Binary, true, stop);
                    queue.Return(frames);
                }
                else
                {
                    return;
                }
            }
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // The other two see it too.
        }
    }

    private async Task ReceiveAsync(WebSocket socket, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                // Nothing is held while nothing comes.
                await socket.ReceiveAsync(Memory<byte>.Empty, stop);
                byte[] buffer = ArrayPool<byte>.Shared.Rent(RelayRecords.MaxMessage);
                int length = 0;
                ValueWebSocketReceiveResult result;
                do
                {
                    result = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
                    length += result.Count;
                }
                while (!result.EndOfMessage);

                if (result.MessageType == WebSocketMessageType.Binary)
                {
                    Interlocked.Add(ref socketReceived, Payload(buffer.AsSpan(0, length)));
                }

                ArrayPool<byte>.Shared.Return(buffer);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }
            }
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // As above.
        }
    }

    private async Task PingAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Tell(new SignalMessage { Type = SignalMessage.Ping, T = Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture) });
            await Task.Delay(Patience.PingPause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static long Payload(ReadOnlySpan<byte> message)
    {
        long bytes = 0;
        while (RelayRecords.TryTake(ref message, out ReadOnlySpan<byte> frame))
        {
            bytes += RelayFrame.TryRead(frame, out _) ? frame.Length - RelayFrame.HeaderLength : 0;
        }

        return bytes;
    }

    private void Tell(SignalMessage message) =>
        Volatile.Read(ref outbound)?.AddText(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Default.SignalMessage));

    private static bool IsEnd(Exception fault) =>
        fault is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException;
}
