using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class ShardTests
{
    private const byte Wrapper = 0x08;
    private const int WrapperLength = 18;

    [Theory]
    [InlineData("127.0.0.1", 2)]
    [InlineData("127.0.0.1", 4)]
    [InlineData("::1", 3)]
    public async Task TheKernelSteersByConnectionId(string address, int count)
    {
        ConcurrentQueue<(int Socket, byte[] Datagram)> received = [];
        Reactor[] reactors = [.. Enumerable.Range(0, count).Select(i => new Reactor($"test-{i}", NullLogger.Instance))];
        UdpSocketOptions options = new() { Wrapper = (Wrapper, WrapperLength) };
        UdpSocket[] group = UdpSocket.OpenGroup(reactors, new IPEndPoint(IPAddress.Parse(address), 0), options, [.. reactors.Select((_, i) =>
            (DatagramHandler)((in UdpAddress _, Span<byte> train, int size) =>
            {
                for (int at = 0; at < train.Length; at += size)
                {
                    received.Enqueue((i, train.Slice(at, Math.Min(size, train.Length - at)).ToArray()));
                }
            }))]);
        List<(int Socket, byte[] Datagram)> sent = [];
        using Socket sender = new(group[0].LocalEndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        sender.Connect(group[0].LocalEndPoint);
        for (int i = 0; i < 64; i++)
        {
            byte first = (byte)((i * 4) + (i % count));
            Add(i % count, Short(first));
            Add(i % count, Long(first));
            Add(i % count, Wrap(Short(first)));
            Add(i % count, Wrap(Long(first)));
            Add(0, [(byte)(i % 64 == Wrapper ? 0 : i % 64), first, first, first, first, first, first]);
        }

        Add(0, [0x40]);
        Add(0, [0xC0, 0, 0]);
        Add(0, [Wrapper, 1, 2]);
        foreach (Reactor reactor in reactors)
        {
            reactor.Start();
        }

        foreach ((int _, byte[] datagram) in sent)
        {
            sender.Send(datagram);
        }

        await Eventually.HoldsAsync(() => received.Count == sent.Count);
        Assert.Equal(
            sent.Select(s => $"{s.Socket} {Convert.ToHexString(s.Datagram)}").Order(),
            received.Select(r => $"{r.Socket} {Convert.ToHexString(r.Datagram)}").Order());
        foreach (UdpSocket socket in group)
        {
            socket.Dispose();
        }

        foreach (Reactor reactor in reactors)
        {
            await reactor.DisposeAsync();
        }

        void Add(int socket, byte[] datagram) => sent.Add((socket, datagram));
        static byte[] Short(byte id) => [0x47, id, .. RandomNumberGenerator.GetBytes(30)];
        static byte[] Long(byte id) => [0xC3, 0, 0, 0, 1, 8, id, .. RandomNumberGenerator.GetBytes(30)];
        static byte[] Wrap(byte[] datagram) => [Wrapper, .. RandomNumberGenerator.GetBytes(WrapperLength - 1), .. datagram];
    }

    [Fact]
    public void APortOfAnotherGroupIsTaken()
    {
        Reactor[] reactors = [new("test-0", NullLogger.Instance), new("test-1", NullLogger.Instance)];
        DatagramHandler[] handlers = [(in UdpAddress _, Span<byte> _, int _) => { }, (in UdpAddress _, Span<byte> _, int _) => { }];
        UdpSocket[] group = UdpSocket.OpenGroup(reactors, new IPEndPoint(IPAddress.Loopback, 0), new UdpSocketOptions(), handlers);
        Assert.Equal(group[0].LocalEndPoint, group[1].LocalEndPoint);
        SocketException e = Assert.Throws<SocketException>(() => UdpSocket.OpenGroup(reactors, group[0].LocalEndPoint, new UdpSocketOptions(), handlers));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ADialEndsWhereItsTagBelongsAndNothingIsHandedOverAfterwards(int home)
    {
        TestPki pki = new();
        await using ShardedEndpoint server = new(pki, "server", 3, RandomNumberGenerator.GetBytes(32), tag => (int)(tag - 700));
        await using ShardedEndpoint client = new(pki, "client", 2, RandomNumberGenerator.GetBytes(32), _ => 0, tag: 700 + (ulong)home);
        RecordingHandler handler = new();
        QuicConnection connection = await client.ConnectAsync(1, server.Address, handler);
        await Eventually.HoldsAsync(() => handler.Connected == 1);
        (int shard, RecordingHandler accepted) = Assert.Single(server.Accepted);
        Assert.Equal(home, shard);
        Assert.InRange(server.HandedOver, home == 0 ? 0 : 1, home == 0 ? 0 : 10);
        Assert.Equal(0, client.HandedOver);

        int before = server.HandedOver;
        byte[] content = QuicPair.RandomBytes(200_000);
        Assert.True(await client.AskAsync(1, () =>
        {
            RecordingStream stream = new(connection.OpenStream()!);
            return stream.Stream.Write(content) > 0;
        }));
        await Eventually.HoldsAsync(() => accepted.Streams is [{ Received: > 10_000 }]);
        Assert.Equal(before, server.HandedOver);
        Assert.Equal(0, client.HandedOver);
        Assert.True(server.CountersOf(home).PacketsIn >= 5);
    }

    // The sender of a reset does not know our ids: half of them come to the wrong socket.
    [Fact]
    public async Task AResetFindsItsConnectionOnWhicheverSocketItComes()
    {
        TestPki pki = new();
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        ShardedEndpoint server = new(pki, "server", 1, secret, _ => 0);
        int port = server.Address.Port;
        await using ShardedEndpoint client = new(pki, "client", 2, RandomNumberGenerator.GetBytes(32), _ => 0);
        List<(int Shard, QuicConnection Connection, RecordingHandler Handler)> dialled = [];
        for (int i = 0; i < 16; i++)
        {
            RecordingHandler handler = new();
            dialled.Add((i % 2, await client.ConnectAsync(i % 2, server.Address, handler), handler));
            await Eventually.HoldsAsync(() => handler.Connected == 1);
        }

        // The server must have told all its ids, or there is no token to know a reset by.
        await Task.WhenAll(server.Accepted.Select(a => Eventually.HoldsAsync(() => a.Handler.Connected == 1)));
        await server.StopAsync(silently: true);
        await using ShardedEndpoint restarted = new(pki, "server", 1, secret, _ => 0, port: port);
        foreach ((int shard, QuicConnection connection, RecordingHandler handler) in dialled)
        {
            await client.AskAsync(shard, () => new RecordingStream(connection.OpenStream()!).Stream.Write("anybody there?"u8));
            await Eventually.HoldsAsync(() => handler.Closes is [{ Kind: QuicCloseKind.Reset }]);
        }

        Assert.InRange(client.HandedOver, 1, 1000);
    }
}
