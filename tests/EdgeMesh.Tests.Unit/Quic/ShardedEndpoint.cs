using System.Collections.Concurrent;
using System.Net;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>Endpoints that share one UDP port on loopback, each on a reactor of its own.</summary>
internal sealed class ShardedEndpoint : IAsyncDisposable
{
    private readonly Reactor[] reactors;
    private readonly UdpSocket[] sockets;
    private readonly QuicEndpoint[] endpoints;
    private readonly QuicResetTokens resetTokens = new();
    private readonly Func<ulong, int> shardOf;
    private readonly UdpOutput[] replies;
    private int handedOver;

    public ShardedEndpoint(TestPki pki, string name, int count, ReadOnlyMemory<byte> resetSecret, Func<ulong, int> shardOf, ulong tag = 0, int port = 0)
    {
        this.shardOf = shardOf;
        reactors = [.. Enumerable.Range(0, count).Select(i => new Reactor($"{name}-{i}", NullLogger.Instance))];
        endpoints = [.. reactors.Select((reactor, i) => new QuicEndpoint(
            reactor,
            new QuicEndpointOptions { ResetSecret = resetSecret, Shard = i, ClientTag = tag },
            pki.Issue(name),
            connection =>
            {
                connection.Output = replies![i];
                RecordingHandler handler = new();
                Accepted.Enqueue((i, handler));
                return handler;
            },
            NullLogger.Instance,
            new Member(this, i)))];
        DatagramHandler[] handlers = [.. endpoints.Select((endpoint, i) => (DatagramHandler)((in UdpAddress from, Span<byte> train, int size) =>
        {
            replies![i] = new UdpOutput(sockets![i], from);
            endpoint.Receive(train, size, replies[i]);
        }))];
        replies = new UdpOutput[count];
        sockets = UdpSocket.OpenGroup(reactors, new IPEndPoint(IPAddress.Loopback, port), new UdpSocketOptions(), handlers);
        foreach (Reactor reactor in reactors)
        {
            reactor.Start();
        }
    }

    public ConcurrentQueue<(int Shard, RecordingHandler Handler)> Accepted { get; } = [];

    public int HandedOver => Volatile.Read(ref handedOver);

    public IPEndPoint Address => sockets[0].LocalEndPoint;

    public UdpSocketCounters CountersOf(int shard) => sockets[shard].Counters;

    public Task<QuicConnection> ConnectAsync(int shard, IPEndPoint to, IQuicHandler handler) =>
        AskAsync(shard, () => endpoints[shard].Connect(new UdpOutput(sockets[shard], UdpAddress.From(to)), handler));

    public async Task<T> AskAsync<T>(int shard, Func<T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactors[shard].Post(() => answer.SetResult(question()));
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <param name="silently">Without a word to the peers, as after a crash.</param>
    public async Task StopAsync(bool silently)
    {
        for (int i = 0; i < reactors.Length; i++)
        {
            int shard = i;
            await AskAsync(shard, () =>
            {
                if (!silently)
                {
                    endpoints[shard].Dispose();
                }

                sockets[shard].Dispose();
                return 0;
            });
            await reactors[shard].DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(silently: false);

    private sealed class Member(ShardedEndpoint owner, int self) : IQuicShards
    {
        public int Count => owner.reactors.Length;

        public QuicResetTokens ResetTokens => owner.resetTokens;

        public int ShardOf(ulong clientTag) => owner.shardOf(clientTag);

        public void HandOver(int shard, Span<byte> datagram)
        {
            Assert.NotEqual(self, shard);
            Interlocked.Increment(ref owner.handedOver);
            byte[] copy = datagram.ToArray();
            UdpOutput reply = owner.replies[self] with { Socket = owner.sockets[shard] };
            owner.reactors[shard].Post(() =>
            {
                owner.replies[shard] = reply;
                owner.endpoints[shard].Receive(copy, copy.Length, reply);
            });
        }
    }
}
