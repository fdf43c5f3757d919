using System.Net;
using System.Net.Sockets;
using EdgeMesh.Dns;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>What an off-path forger must guess, and what is believed (RFC 5452), on real sockets.</summary>
public sealed class UpstreamSocketTests : IDisposable
{
    private readonly UdpClient upstream = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly SocketExchange exchange = new(new SocketMark(0, NullLogger.Instance));
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));

    public void Dispose()
    {
        upstream.Dispose();
        patience.Dispose();
    }

    [Fact]
    public async Task OnlyTheAnswerToTheQuestionIsTaken()
    {
        byte[] query = UpstreamMessage.Query(CoreTests.Key("www.example.test", 1), 0x1234, withEdns: true);
        byte[] good = TestPark.Answer(query, 60, "198.51.100.7");
        byte[][] forged =
        [
            [],
            [0x12],
            query,
            With(good, 0, 0x13),
            With(good, 2, 0x01),
            With(good, 2, 0x91),
            With(good, 13, (byte)'x'),
            With(good, 4 + 1, 2),
            With(good, 12 + 18 + 1, 28),
            With(good, 12 + 18 + 3, 3),
            good[..20],
            TestPark.Answer(UpstreamMessage.Query(CoreTests.Key("www.example.tess", 1), 0x1234, true), 60, "203.0.113.66"),
            [0x12, 0x34, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
        ];
        foreach (byte[] message in forged)
        {
            Assert.False(UpstreamMessage.IsAnswerTo(query, message), Convert.ToHexString(message));
        }

        Task<byte[]> answer = exchange.ExchangeAsync(Server, query, false, patience.Token).AsTask();
        UdpReceiveResult asked = await upstream.ReceiveAsync(patience.Token);
        Assert.Equal(query, asked.Buffer);
        using UdpClient stranger = new(new IPEndPoint(IPAddress.Loopback, 0));
        await stranger.SendAsync(TestPark.Answer(query, 60, "203.0.113.66"), asked.RemoteEndPoint, patience.Token);
        foreach (byte[] message in forged)
        {
            await upstream.SendAsync(message, asked.RemoteEndPoint, patience.Token);
        }

        await upstream.SendAsync(good, asked.RemoteEndPoint, patience.Token);
        Assert.Equal(good, await answer);
    }

    [Fact]
    public async Task EveryQuestionHasAnIdAndAPortOfItsOwn()
    {
        const int questions = 60;
        DnsClock clock = new(TimeProvider.System);
        UpstreamSet set = new(exchange.ExchangeAsync, [], TimeSpan.FromSeconds(20), clock, TimeProvider.System, NullLogger.Instance);
        set.Set([Server]);
        HashSet<ushort> ids = [];
        HashSet<int> ports = [];
        for (int i = 0; i < questions; i++)
        {
            Task<CachedAnswer?> answer = set.AskAsync(CoreTests.Key($"n{i}.example.test", 1), patience.Token);
            UdpReceiveResult asked = await upstream.ReceiveAsync(patience.Token);
            ids.Add((ushort)((asked.Buffer[0] << 8) | asked.Buffer[1]));
            ports.Add(asked.RemoteEndPoint.Port);
            await upstream.SendAsync(TestPark.Answer(asked.Buffer, 60, "198.51.100.7"), asked.RemoteEndPoint, patience.Token);
            Assert.NotNull(await answer);
        }

        // Of 60 out of 65,536 or 28,232 hardly any two are alike, and a counter would lie close together.
        Assert.InRange(ids.Count, questions - 3, questions);
        Assert.InRange(ports.Count, questions - 5, questions);
        Assert.True(ids.Max() - ids.Min() > 10 * questions, "ids of a counter");
        Assert.True(ports.Max() - ports.Min() > 10 * questions, "ports of a counter");
    }

    [Fact]
    public async Task AServerWithoutTcpOrWithAForeignTcpAnswerIsNoAnswer()
    {
        byte[] query = UpstreamMessage.Query(CoreTests.Key("www.example.test", 1), 0x1234, withEdns: true);
        await Assert.ThrowsAsync<SocketException>(() => exchange.ExchangeAsync(Server, query, true, patience.Token).AsTask());
        using System.Net.Sockets.TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task<byte[]> answer = exchange.ExchangeAsync((IPEndPoint)listener.LocalEndpoint, query, true, patience.Token).AsTask();
        using TcpClient client = await listener.AcceptTcpClientAsync(patience.Token);
        byte[] other = TestPark.Answer(UpstreamMessage.Query(CoreTests.Key("www.example.tess", 1), 0x1234, true), 60, "203.0.113.66");
        await client.GetStream().WriteAsync((byte[])[0, (byte)other.Length, .. other], patience.Token);
        await Assert.ThrowsAsync<IOException>(() => answer);
    }

    private IPEndPoint Server => (IPEndPoint)upstream.Client.LocalEndPoint!;

    private static byte[] With(byte[] message, int at, byte value)
    {
        byte[] changed = [.. message];
        changed[at] = value;
        return changed;
    }
}
