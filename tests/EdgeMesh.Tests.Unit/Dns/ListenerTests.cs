using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Dns;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>Sockets on loopback: TCP rules, dig as the judge, what happens when an address cannot be had.</summary>
public sealed class ListenerTests(DnsServerFixture server) : IClassFixture<DnsServerFixture>
{
    [Theory]
    [InlineData("video.cluster.local.service A", "10.96.0.10")]
    [InlineData("video.cluster.local.service A +tcp +noedns", "10.96.0.10")]
    [InlineData("_http._tcp.video.default.svc.cluster.local SRV", "0 100 80 video.default.svc.cluster.local.")]
    [InlineData("-x 172.17.0.2", "db-0.db.default.svc.cluster.local.")]
    [InlineData("away.default.svc.cluster.local A", "www.example.test.\n198.51.100.7")]
    [InlineData("dns-version.cluster.local TXT", "\"1.1.0\"")]
    [InlineData("cluster.local NS", "ns.dns.cluster.local.")]
    public async Task DigAgrees(string question, string expected) =>
        Assert.Equal(expected, (await DigAsync($"+short {question}")).Trim());

    [Fact]
    public async Task DigFallsBackToTcpAndKeepsTheCaseOfTheQuestion()
    {
        Assert.Equal(200, (await DigAsync("+short +noedns many.example.test A")).Trim().Split('\n').Length);
        Assert.Contains("viDEO.Cluster.LOCAL.service.", await DigAsync("viDEO.Cluster.LOCAL.service A"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DigSeesNoFaultInAnyAnswer()
    {
        foreach (string question in (string[])["db.default.svc.cluster.local ANY", "cluster.local ANY", "x.cluster.local A", "_sql._tcp.db.default.svc.cluster.local SRV"])
        {
            string text = await DigAsync($"+tcp {question}");
            Assert.DoesNotContain("extra bytes", text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("Got answer", text, StringComparison.Ordinal);
            Assert.DoesNotContain("malformed", text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("flags: qr aa rd ra", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PipelinedQueriesAreAllAnswered()
    {
        using TcpClient client = new();
        await client.ConnectAsync(server.Address);
        using MemoryStream batch = new();
        for (ushort id = 0; id < 200; id++)
        {
            byte[] query = TestPark.Query(id % 4 == 0 ? $"n{id}.example.test" : "video.default.svc.cluster.local", 1, id);
            batch.Write([(byte)(query.Length >> 8), (byte)query.Length]);
            batch.Write(query);
        }

        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(batch.ToArray());
        client.Client.Shutdown(SocketShutdown.Send);
        HashSet<ushort> answered = [];
        byte[] head = new byte[2];
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        while (await stream.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, patience.Token) == 2)
        {
            byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
            await stream.ReadExactlyAsync(message, patience.Token);
            Assert.True(answered.Add(BinaryPrimitives.ReadUInt16BigEndian(message)));
        }

        Assert.Equal(200, answered.Count);
    }

    [Fact]
    public async Task RandomBytesChangeNothing()
    {
        Random random = new(7);
        using UdpClient udp = new();
        for (int i = 0; i < 500; i++)
        {
            byte[] noise = new byte[random.Next(0, 5000)];
            random.NextBytes(noise);
            await udp.SendAsync(noise, server.Address);
        }

        for (int i = 0; i < 20; i++)
        {
            byte[] noise = new byte[random.Next(1, 3000)];
            random.NextBytes(noise);
            using TcpClient tcp = new();
            await tcp.ConnectAsync(server.Address);
            await tcp.GetStream().WriteAsync(noise);
        }

        Assert.Equal("10.96.0.10", (await DigAsync("+short video.cluster.local.service A")).Trim());
    }

    [Fact]
    public async Task ConnectionsOverTheLimitAndIdleOnesAreClosed()
    {
        await using DnsService service = Service(new DnsOptions { MaxConnections = 1, IdleTimeout = TimeSpan.FromMilliseconds(300), ListenAddresses = [new(IPAddress.Loopback, 0)] });
        await service.StartAsync(CancellationToken.None);
        using TcpClient first = new();
        await first.ConnectAsync(service.Status.Listening[0]);
        using TcpClient second = new();
        await second.ConnectAsync(service.Status.Listening[0]);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        foreach (TcpClient client in (TcpClient[])[second, first])
        {
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], patience.Token));
        }
    }

    /// <summary>One pod that opens all the connections it can leaves room for the others.</summary>
    [Fact]
    public async Task AClientHasItsShareOfTheConnections()
    {
        await using DnsService service = Service(new DnsOptions { MaxConnections = 8, IdleTimeout = TimeSpan.FromMinutes(5), ListenAddresses = [new(IPAddress.Loopback, 0)] });
        await service.StartAsync(CancellationToken.None);
        IPEndPoint address = service.Status.Listening[0];
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        List<TcpClient> greedy = [];
        try
        {
            for (int i = 0; i < 3; i++)
            {
                greedy.Add(new TcpClient(new IPEndPoint(IPAddress.Parse("127.83.22.1"), 0)));
                await greedy[i].ConnectAsync(address, patience.Token);
            }

            Assert.Equal(0, await greedy[2].GetStream().ReadAsync(new byte[1], patience.Token));
            await AskAsync(greedy[0], patience.Token);
            using TcpClient modest = new(new IPEndPoint(IPAddress.Parse("127.83.22.2"), 0));
            await modest.ConnectAsync(address, patience.Token);
            await AskAsync(modest, patience.Token);

            // Room that is given back can be had again.
            greedy[1].Dispose();
            await Eventually.HoldsAsync(async () =>
            {
                using TcpClient next = new(new IPEndPoint(IPAddress.Parse("127.83.22.1"), 0));
                await next.ConnectAsync(address, patience.Token);
                return await TryAskAsync(next, patience.Token);
            });
        }
        finally
        {
            greedy.ForEach(client => client.Dispose());
        }
    }

    /// <summary>Questions that wait for upstream, on connections that are never read, cost their answers and no more.</summary>
    [Fact]
    public async Task WaitingQuestionsHoldNoRoomForTheirAnswers()
    {
        TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int asked = 0;
        await using DnsService service = new(
            new SnapshotCell(),
            new DnsOptions { ListenAddresses = [new(IPAddress.Loopback, 0)], Upstreams = [new(IPAddress.Parse("192.0.2.1"), 53)], UpstreamTimeout = TimeSpan.FromMinutes(1) },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            async (_, query, _, stop) =>
            {
                Interlocked.Increment(ref asked);
                await open.Task.WaitAsync(stop);
                return TestPark.Answer(query, 60, "198.51.100.7");
            });
        await service.StartAsync(CancellationToken.None);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        List<TcpClient> clients = [];
        try
        {
            long before = GC.GetTotalMemory(forceFullCollection: true);
            for (int i = 0; i < 25; i++)
            {
                TcpClient client = new();
                clients.Add(client);
                await client.ConnectAsync(service.Status.Listening[0], patience.Token);
                for (ushort id = 0; id < 32; id++)
                {
                    byte[] query = TestPark.Query($"n{id}.c{i}.example.test", 1, id);
                    await client.GetStream().WriteAsync((byte[])[0, (byte)query.Length, .. query], patience.Token);
                }
            }

            await Eventually.HoldsAsync(() => Volatile.Read(ref asked) >= 800);
            long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / 800;
            Assert.InRange(each, 0, 16_000);
            open.SetResult();
            byte[] head = new byte[2];
            await clients[0].GetStream().ReadExactlyAsync(head, patience.Token);
        }
        finally
        {
            open.TrySetResult();
            clients.ForEach(client => client.Dispose());
        }
    }

    /// <summary>RFC 3597: what we do not know passes through, type, class and data.</summary>
    [Theory]
    [InlineData("odd.example.test", "TYPE65400", "IN", "\\# 4 C6336407")]
    [InlineData("version.bind", "TXT", "CH", "\"abc\"")]
    [InlineData("odd.example.test", "HTTPS", "IN", "1 . alpn=\"h2\"")]
    public async Task UnknownTypesAndClassesPassThrough(string name, string type, string @class, string expected)
    {
        byte[] data = type switch { "TXT" => [3, (byte)'a', (byte)'b', (byte)'c'], "HTTPS" => [0, 1, 0, 0, 1, 0, 3, 2, (byte)'h', (byte)'2'], _ => [198, 51, 100, 7] };
        byte[] seen = [];
        await using DnsService service = new(
            new SnapshotCell(),
            new DnsOptions { ListenAddresses = [new(IPAddress.Loopback, 0)], Upstreams = [new(IPAddress.Parse("192.0.2.1"), 53)] },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            (_, query, _, _) =>
            {
                byte[] answer = TestPark.Answer(query, 60);
                byte[] question = answer[^4..];
                seen = question;
                answer[7] = 1;
                return ValueTask.FromResult<byte[]>([.. answer, 0xc0, 12, .. question, 0, 0, 0, 60, 0, (byte)data.Length, .. data]);
            });
        await service.StartAsync(CancellationToken.None);
        for (int i = 0; i < 2; i++)
        {
            // The second time from the cache.
            Assert.Equal(expected, (await DigAsync($"+short -c {@class} -t {type} {name}", service.Status.Listening[0])).Trim());
        }

        Assert.Equal(@class == "CH" ? 3 : 1, seen[3]);
    }

    [Fact]
    public async Task TakenPortIsNamedWithTheRemedy()
    {
        await using DnsService service = Service(new DnsOptions { ListenAddresses = [server.Address] });
        MeshException error = await Assert.ThrowsAsync<MeshException>(() => service.StartAsync(CancellationToken.None));
        Assert.Equal(MeshExit.Failed, error.Exit);
        Assert.Contains(server.Address.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("another program has this port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WildcardAndBadZoneAreUsageErrors()
    {
        foreach (DnsOptions options in (DnsOptions[])[
            new() { ListenAddresses = [new(IPAddress.Any, 53)] },
            new() { ClusterDomains = ["Cluster Local"] },
            new() { AliasZones = ["-"] }])
        {
            Assert.Equal(MeshExit.Usage, Assert.Throws<MeshException>(() => Service(options)).Exit);
        }
    }

    [Fact]
    public async Task AddressThatIsNotHereYetIsNoError()
    {
        await using DnsService service = Service(new DnsOptions { ListenAddresses = [new(IPAddress.Parse("192.0.2.53"), 5353), new(IPAddress.Loopback, 0)] });
        await service.StartAsync(CancellationToken.None);
        Assert.Equal("192.0.2.53:5353", Assert.Single(service.Status.Missing).ToString());
        Assert.Single(service.Status.Listening);
    }

    [Fact]
    public async Task UpstreamsFollowResolvConf()
    {
        string path = Path.Combine(Path.GetTempPath(), $"dns-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(path, "nameserver 192.0.2.1\n");
        try
        {
            await using DnsService service = new(
                new SnapshotCell(),
                new DnsOptions { ListenAddresses = [new(IPAddress.Loopback, 0)], ResolvConfPath = path },
                TimeProvider.System,
                NullLoggerFactory.Instance,
                (_, query, _, _) => ValueTask.FromResult(TestPark.Refusal(query, 5)));
            await service.StartAsync(CancellationToken.None);
            Assert.Equal("192.0.2.1:53", Assert.Single(service.Status.Upstreams).Server.ToString());
            await File.WriteAllTextAsync(path, "nameserver 192.0.2.2\n");
            await Eventually.HoldsAsync(() => service.Status.Upstreams is [{ Server: var only }] && only.Address.Equals(IPAddress.Parse("192.0.2.2")));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task RealUpstreamIsAskedOverRealSockets()
    {
        await using DnsService service = Service(new DnsOptions
        {
            ListenAddresses = [new(IPAddress.Loopback, 0)],
            Upstreams = [server.Address],
            ClusterDomains = ["other.local"],
            AliasZones = [],
        });
        await service.StartAsync(CancellationToken.None);
        IPEndPoint address = service.Status.Listening[0];
        Assert.Equal("10.96.0.10", (await DigAsync("+short video.default.svc.cluster.local A", address)).Trim());
        Assert.Equal(200, (await DigAsync("+short +tcp many.example.test A", address)).Trim().Split('\n').Length);
        Assert.NotNull(Assert.Single(service.Status.Upstreams).Latency);
    }

    [Fact]
    public async Task TwoServersThatForwardToEachOtherNoticeTheRing()
    {
        IPEndPoint one = FreePort("127.83.21.1"), two = FreePort("127.83.21.2");
        await using DnsService first = Service(new DnsOptions { ListenAddresses = [one], Upstreams = [two] });
        await using DnsService second = Service(new DnsOptions { ListenAddresses = [two], Upstreams = [one] });
        await second.StartAsync(CancellationToken.None);
        await first.StartAsync(CancellationToken.None);
        await Eventually.HoldsAsync(() => first.Status.Upstreams[0].IsLoop);
        Assert.Contains("SERVFAIL", await DigAsync("www.example.test A", one), StringComparison.Ordinal);
    }

    private static DnsService Service(DnsOptions options) => new(new SnapshotCell(), options, TimeProvider.System, NullLoggerFactory.Instance);

    // An address that no other test uses: nobody takes the port before the server does.
    private static IPEndPoint FreePort(string address)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private static async Task AskAsync(TcpClient client, CancellationToken stop) => Assert.True(await TryAskAsync(client, stop));

    private static async Task<bool> TryAskAsync(TcpClient client, CancellationToken stop)
    {
        byte[] query = TestPark.Query("video.default.svc.cluster.local", 1);
        try
        {
            await client.GetStream().WriteAsync((byte[])[0, (byte)query.Length, .. query], stop);
            return await client.GetStream().ReadAtLeastAsync(new byte[2], 2, throwOnEndOfStream: false, stop) == 2;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task<string> DigAsync(string arguments, IPEndPoint? address = null)
    {
        address ??= server.Address;
        ProcessStartInfo start = new("dig", $"@{address.Address} -p {address.Port} +time=4 +tries=1 {arguments}") { RedirectStandardOutput = true };
        using Process dig = Process.Start(start)!;
        string text = await dig.StandardOutput.ReadToEndAsync();
        await dig.WaitForExitAsync();
        return text;
    }
}
