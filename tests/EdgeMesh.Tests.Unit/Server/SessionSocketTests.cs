using System.Net.WebSockets;

using EdgeMesh.Model;
using EdgeMesh.Server;
using EdgeMesh.Server.Relay;
using EdgeMesh.Server.Sessions;
using EdgeMesh.Tunnel.Wire;

using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class SessionSocketTests
{
    /// <summary>Thousands of sessions are silent: what each held while it waits would be most of the server's memory.</summary>
    [Fact]
    public async Task HoldsNoBufferWhileItWaits()
    {
        FakeTimeProvider time = new();
        RelayCounters counters = new();
        using Session session = new(NodeName.Parse("edge1"), "01", new OutboundQueue(RelayLimits.DefaultAgentQueue, new QueueBudget(1 << 20), counters), 0);
        SessionTable sessions = new(10);
        FairShares shares = new(new RelayLimits(), () => [], counters);
        using Quiet socket = new();
        SessionSocket pump = new(socket, session, new SocketFrames(session, sessions, null!, shares, counters), time);
        Task running = pump.RunAsync();
        Assert.Equal(0, await socket.Asked());
        socket.Say("""{"type":"udp","bound":true}""");
        Assert.True(await socket.Asked() >= 4096);

        // The message is taken, the next wait is without a buffer again.
        Assert.Equal(0, await socket.Asked());
        Assert.True(session.WantsUdp);
        session.Abort();
        await running;
    }

    /// <summary>Frames that go nowhere would take the time of all; what is not read yet stays with its sender.</summary>
    [Fact]
    public async Task LetsAnAgentWaitThatSendsMoreThanItMay()
    {
        FakeTimeProvider time = new();
        RelayCounters counters = new();
        using Session session = new(NodeName.Parse("edge1"), "01", new OutboundQueue(RelayLimits.DefaultAgentQueue, new QueueBudget(1 << 20), counters), 0);
        SessionTable sessions = new(10);
        Assert.True(sessions.TryAdd(session, out _));
        FairShares shares = new(new RelayLimits { AgentRate = 1000 }, () => [session.Sent], counters);
        using Quiet socket = new();
        SessionSocket pump = new(socket, session, new SocketFrames(session, sessions, null!, shares, counters), time);
        Task running = pump.RunAsync();
        Assert.Equal(0, await socket.Asked());
        byte[] frame = new byte[1000];
        new RelayFrame(session.Address, session.Id).WriteHeader(frame);
        byte[] message = new byte[5 * (RelayRecords.Overhead + frame.Length)];
        for (int at = 0; at < message.Length;)
        {
            at += RelayRecords.Write(message.AsSpan(at), frame);
        }

        socket.Say(message, WebSocketMessageType.Binary);
        Assert.True(await socket.Asked() >= message.Length);
        await Eventually.HoldsAsync(() => counters.Dropped(DropReason.AgentRate) == 3);
        Assert.False(socket.IsAsked);
        await Eventually.HoldsAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return socket.IsAsked;
        });
        Assert.Equal(0, await socket.Asked());
        session.Abort();
        await running;
    }

    /// <summary>A WebSocket on which nothing happens until the test says so.</summary>
    private sealed class Quiet : WebSocket
    {
        private readonly SemaphoreSlim reads = new(0);
        private readonly Queue<int> lengths = new();
        private readonly SemaphoreSlim said = new(0);
        private byte[] message = [];
        private WebSocketMessageType type;

        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => WebSocketState.Open;

        public override string? SubProtocol => SignalMessage.Subprotocol;

        public async Task<int> Asked()
        {
            Assert.True(await reads.WaitAsync(TimeSpan.FromSeconds(20)), "the session does not read");
            return lengths.Dequeue();
        }

        public bool IsAsked => reads.CurrentCount > 0;

        public void Say(string text) => Say(System.Text.Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

        public void Say(byte[] bytes, WebSocketMessageType kind)
        {
            (message, type) = (bytes, kind);
            said.Release();
        }

        public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            lengths.Enqueue(buffer.Length);
            reads.Release();
            if (buffer.IsEmpty)
            {
                await said.WaitAsync(cancellationToken);
                return new ValueWebSocketReceiveResult(0, type, false);
            }

            message.CopyTo(buffer);
            return new ValueWebSocketReceiveResult(message.Length, type, true);
        }

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Abort()
        {
        }

        public override void Dispose()
        {
            reads.Dispose();
            said.Dispose();
        }
    }
}
