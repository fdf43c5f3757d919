using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class TcpSpliceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task BytesArriveIntactInBothDirectionsWithHalfClose()
    {
        await using LoopbackPair pair = new();
        (Socket client, Socket server) = await pair.OpenAsync();
        using (client)
        using (server)
        {
            byte[] request = QuicPair.RandomBytes(20_000_000, 1);
            byte[] answer = QuicPair.RandomBytes(15_000_000, 2);
            Task send = SendAsync(client, request);
            (long length, byte[] hash) = await ReceiveAsync(server).WaitAsync(Patience);
            await send.WaitAsync(Patience);
            Assert.Equal(request.Length, length);
            Assert.Equal(SHA256.HashData(request), hash);

            // The request side is closed; the answer comes over the open half.
            Task reply = SendAsync(server, answer);
            (length, hash) = await ReceiveAsync(client).WaitAsync(Patience);
            await reply.WaitAsync(Patience);
            Assert.Equal(answer.Length, length);
            Assert.Equal(SHA256.HashData(answer), hash);
        }

        TcpSplice splice = await WaitForAsync(() => pair.AskNear(() => pair.NearDone.SingleOrDefault()));
        Assert.Equal((20_000_000, 15_000_000, false), (splice.BytesToStream, splice.BytesFromStream, splice.WasReset));
        splice = await WaitForAsync(() => pair.AskFar(() => pair.FarDone.SingleOrDefault()));
        Assert.Equal((15_000_000, 20_000_000, false), (splice.BytesToStream, splice.BytesFromStream, splice.WasReset));
    }

    [Fact]
    public async Task ManyConnectionsAtOnceKeepTheirBytesApart()
    {
        await using LoopbackPair pair = new();
        await Task.WhenAll(Enumerable.Range(0, 1).Select(_ => pair.Connected.Task)).WaitAsync(Patience);
        List<(Socket Client, Socket Server)> all = [];
        for (int i = 0; i < 30; i++)
        {
            all.Add(await pair.OpenAsync());
        }

        await Task.WhenAll(all.Select(async (c, i) =>
        {
            byte[] data = QuicPair.RandomBytes(300_000 + i, i);
            Task send = SendAsync(c.Client, data);
            (_, byte[] hash) = await ReceiveAsync(c.Server);
            await send;
            Assert.Equal(SHA256.HashData(data), hash);
            c.Client.Dispose();
            c.Server.Dispose();
        })).WaitAsync(Patience);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ResetIsForwardedAsReset(bool fromClient)
    {
        await using LoopbackPair pair = new();
        (Socket client, Socket server) = await pair.OpenAsync();
        await client.SendAsync("hello"u8.ToArray());
        Assert.Equal(5, await server.ReceiveAsync(new byte[10]));
        (Socket breaks, Socket notices) = fromClient ? (client, server) : (server, client);
        breaks.LingerState = new LingerOption(true, 0);
        breaks.Dispose();
        SocketException e = await Assert.ThrowsAsync<SocketException>(
            async () => await notices.ReceiveAsync(new byte[1]).WaitAsync(Patience));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        notices.Dispose();
        Assert.True((await WaitForAsync(() => pair.AskNear(() => pair.NearDone.SingleOrDefault()))).WasReset);
        Assert.True((await WaitForAsync(() => pair.AskFar(() => pair.FarDone.SingleOrDefault()))).WasReset);
    }

    [Fact]
    public async Task AResetGetsThroughAFullPipe()
    {
        await using LoopbackPair pair = new();
        (Socket client, Socket server) = await pair.OpenAsync();
        await FillAsync(client);
        server.LingerState = new LingerOption(true, 0);
        server.Dispose();
        SocketException e = await Assert.ThrowsAnyAsync<SocketException>(async () =>
        {
            while (true)
            {
                await client.SendAsync(new byte[65536]).WaitAsync(Patience);
            }
        });
        Assert.True(e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown);
        client.Dispose();
    }

    [Fact]
    public async Task AReaderThatStopsHoldsTheWriterAndLosesNothing()
    {
        await using LoopbackPair pair = new();
        (Socket client, Socket server) = await pair.OpenAsync();
        long filled = await FillAsync(client);

        // TCP buffers on both sides, 8 MB of stream window, the send buffer: not more.
        Assert.InRange(filled, 8_000_000, 60_000_000);
        Task finish = Task.Run(() => client.Shutdown(SocketShutdown.Send));
        (long length, _) = await ReceiveAsync(server).WaitAsync(Patience);
        await finish;
        Assert.Equal(filled, length);
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task RandomBytesIntoThePortChangeNothing()
    {
        await using LoopbackPair pair = new();
        (Socket client, Socket server) = await pair.OpenAsync();
        using Socket attacker = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Random random = new(4);
        Task noise = Task.Run(() =>
        {
            for (int i = 0; i < 5000; i++)
            {
                byte[] bytes = new byte[random.Next(0, 1500)];
                random.NextBytes(bytes);
                attacker.SendTo(bytes, pair.FarAddress);
            }
        });
        byte[] data = QuicPair.RandomBytes(5_000_000);
        Task send = SendAsync(client, data);
        (_, byte[] hash) = await ReceiveAsync(server).WaitAsync(Patience);
        await send;
        await noise;
        Assert.Equal(SHA256.HashData(data), hash);
        Assert.Equal(0, await pair.AskNear(() => pair.Closes));
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task ARefusedConnectIsReportedNotThrown()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        using Socket closed = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Outcome refused = new();
        Outcome unreachable = new();
        reactor.Post(() =>
        {
            ReactorTcp.Connect(reactor, (IPEndPoint)closed.LocalEndPoint!, null, refused);
            ReactorTcp.Connect(reactor, new IPEndPoint(IPAddress.Parse("255.255.255.255"), 9), null, unreachable);
            Assert.False(unreachable.Result.Task.IsCompleted);
        });
        Assert.Equal(SocketError.ConnectionRefused, await refused.Result.Task.WaitAsync(Patience));
        Assert.NotEqual(SocketError.Success, await unreachable.Result.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task TheEndOfAConnectIsToldOnce()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        using Socket listener = Listen();
        TaskCompletionSource<(bool AtOnce, ReactorTcp Tcp)> begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Outcome outcome = new();
        reactor.Post(() =>
        {
            ReactorTcp tcp = ReactorTcp.Connect(reactor, (IPEndPoint)listener.LocalEndPoint!, null, outcome);
            begun.SetResult((tcp.HasConnected(), tcp));
        });
        (bool atOnce, ReactorTcp connected) = await begun.Task.WaitAsync(Patience);
        using Socket accepted = await listener.AcceptAsync().WaitAsync(Patience);
        accepted.Send("hello"u8);
        await outcome.Readable.Task.WaitAsync(Patience);
        Assert.Equal(!atOnce, outcome.Result.Task.IsCompleted);
        TaskCompletionSource<(bool Again, string Text, bool MayHaveMore)> read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() =>
        {
            byte[] buffer = new byte[10];
            int count = connected.Receive(buffer);
            read.SetResult((connected.HasConnected(), Encoding.ASCII.GetString(buffer, 0, count), connected.MayReceive));
            connected.Dispose();
        });
        Assert.Equal((false, "hello", false), await read.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task AnEventOfAClosedSocketReachesNobodyElse()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        using Socket listener = Listen();
        (Socket Client, Socket Server) first = await PairAsync(listener);
        (Socket Client, Socket Server) second = await PairAsync(listener);
        Outcome heir = new();
        TaskCompletionSource<int> copied = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() =>
        {
            // As a child process has it between fork and exec: the descriptor is closed, what it stood for is not.
            int copy = dup((int)first.Server.Handle);
            ReactorTcp.Adopt(reactor, first.Server, new Outcome()).Dispose();
            ReactorTcp.Adopt(reactor, second.Server, heir);
            first.Client.Send("for the dead"u8);
            copied.SetResult(copy);
        });
        int left = await copied.Task.WaitAsync(Patience);

        // Events come in order: when this one has come, the other has been and gone.
        (Socket Client, Socket Server) third = await PairAsync(listener);
        Outcome witness = new();
        reactor.Post(() => ReactorTcp.Adopt(reactor, third.Server, witness));
        third.Client.Send("witness"u8);
        await witness.Readable.Task.WaitAsync(Patience);
        Assert.False(heir.Readable.Task.IsCompleted);
        second.Client.Send("for the heir"u8);
        await heir.Readable.Task.WaitAsync(Patience);
        _ = close(left);
        foreach (Socket socket in (Socket[])[first.Client, second.Client, second.Server, third.Client, third.Server])
        {
            socket.Dispose();
        }
    }

    [Fact]
    public async Task AReleasedSocketIsWholeAgain()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        Socket accepted = await listener.AcceptAsync();
        TaskCompletionSource<Socket> released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() => released.SetResult(ReactorTcp.Adopt(reactor, accepted, new Outcome()).Release()));
        using Socket back = await released.Task.WaitAsync(Patience);
        await client.SendAsync("still here"u8.ToArray());
        byte[] buffer = new byte[20];
        Assert.Equal(10, await back.ReceiveAsync(buffer).WaitAsync(Patience));
        await back.SendAsync("so am I"u8.ToArray());
        Assert.Equal(7, await client.ReceiveAsync(buffer).WaitAsync(Patience));
    }

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static async Task<(Socket Client, Socket Server)> PairAsync(Socket listener)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        return (client, await listener.AcceptAsync());
    }

    [DllImport("libc")]
    private static extern int dup(int fd);

    [DllImport("libc")]
    private static extern int close(int fd);

    private static async Task SendAsync(Socket socket, byte[] data)
    {
        for (int offset = 0; offset < data.Length;)
        {
            offset += await socket.SendAsync(data.AsMemory(offset));
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<(long Length, byte[] Hash)> ReceiveAsync(Socket socket)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[100_000];
        long length = 0;
        while (await socket.ReceiveAsync(buffer) is int count and > 0)
        {
            hash.AppendData(buffer.AsSpan(0, count));
            length += count;
        }

        return (length, hash.GetHashAndReset());
    }

    /// <summary>Writes until nothing has been taken for 0.7 s.</summary>
    private static Task<long> FillAsync(Socket socket) => Task.Run(() =>
    {
        byte[] chunk = new byte[65_536];
        long filled = 0;
        socket.Blocking = false;
        while (socket.Poll(TimeSpan.FromMilliseconds(700), SelectMode.SelectWrite))
        {
            int sent = socket.Send(chunk, SocketFlags.None, out SocketError error);
            Assert.True(error is SocketError.Success or SocketError.WouldBlock, $"{error}");
            filled += sent;
        }

        socket.Blocking = true;
        return filled;
    });

    private static async Task<T> WaitForAsync<T>(Func<Task<T?>> question)
        where T : class
    {
        using CancellationTokenSource patience = new(Patience);
        while (true)
        {
            if (await question() is { } answer)
            {
                return answer;
            }

            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class Outcome : ITcpEvents
    {
        public TaskCompletionSource<SocketError> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Readable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnConnected() => Result.TrySetResult(SocketError.Success);

        public void OnFailed(SocketError error) => Result.TrySetResult(error);

        public void OnReadable() => Readable.TrySetResult();

        public void OnWritable()
        {
        }
    }
}
