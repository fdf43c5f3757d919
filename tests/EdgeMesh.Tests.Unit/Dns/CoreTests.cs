using CsCheck;
using EdgeMesh.Dns;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>The codec and the core on bytes.</summary>
public sealed class CoreTests
{
    [Fact]
    public async Task AnswersVideoByteForByte()
    {
        DnsCore core = await TestPark.CoreAsync();
        Assert.Equal(
            "1234850000010001000000000576694465 6F0764656661756C74037376 6307636C7573746572056C6F63616C0000010001C00C00010001000000050004 0A60000A"
                .Replace(" ", "", StringComparison.Ordinal).Replace("8500", "8580", StringComparison.Ordinal),
            Convert.ToHexString(Ask(core, TestPark.Query("viDeo.default.svc.cluster.local", 1))));
    }

    [Theory]
    [InlineData("123401000001000000000000", 1)] // no question
    [InlineData("1234010000020000000000000161000001000101620000010001", 1)] // two questions
    [InlineData("12340100000100000000000001610000", 1)] // question cut short
    [InlineData("123401000001000000000000c00c00010001", 1)] // pointer to itself
    [InlineData("12340100000100000000000040610000010001", 1)] // label type 01
    [InlineData("123401000001000000000001016100000100010000291000000000000008", 1)] // OPT data cut short
    [InlineData("1234010000010000000000020161000001000100002904d0000000000000000029 04d0000000000000", 1)] // two OPTs
    [InlineData("123428000001000000000000016100000100 01", 4)] // UPDATE
    public async Task MalformedQueryGetsItsRcode(string hex, int rcode)
    {
        DnsCore core = await TestPark.CoreAsync();
        byte[] answer = Ask(core, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal([0x12, 0x34], answer[..2]);
        Assert.Equal(rcode, TestPark.Rcode(answer));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234010000010000000000")]
    [InlineData("123481800001000000000000016100000100 01")] // a response
    public async Task SilentWhereAnAnswerCouldLoop(string hex)
    {
        DnsCore core = await TestPark.CoreAsync();
        Assert.Empty(Ask(core, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task UnknownEdnsVersionIsBadVers()
    {
        DnsCore core = await TestPark.CoreAsync();
        byte[] query = TestPark.Query("video.default.svc.cluster.local", 1, payload: 1232);
        query[^5] = 1;
        byte[] answer = Ask(core, query);
        Assert.Equal(0, TestPark.Rcode(answer));
        Assert.Equal(1, answer[^6]); // upper bits of rcode 16, in OPT
    }

    [Theory]
    [InlineData("cluster.local", 252)]
    [InlineData("cluster.local", 251)]
    [InlineData("example.test", 252)]
    public async Task ZoneTransferIsRefused(string name, ushort type) =>
        Assert.Equal(5, TestPark.Rcode(Ask(await TestPark.CoreAsync(), TestPark.Query(name, type))));

    [Fact]
    public void AnswersServfailBeforeFirstSync()
    {
        ClusterZones zones = new(new ClusterZone(new ServiceIndex(), "cluster.local", ["cluster.local.service"], [], 5));
        DnsCore core = new(zones, new AnswerCache(1 << 20, TimeSpan.FromHours(1)));
        foreach (string name in (string[])["video.default.svc.cluster.local", "video.cluster.local.service", "10.0.96.10.in-addr.arpa"])
        {
            Assert.Equal(2, TestPark.Rcode(Ask(core, TestPark.Query(name, 1))));
        }
    }

    [Fact]
    public async Task QuestionForUpstreamIsLowerCase()
    {
        DnsCore core = await TestPark.CoreAsync();
        byte[] output = new byte[DnsLimits.UdpPayload];
        DnsReply reply = core.Handle(TestPark.Query("WWW.Example.Test", 1), output, false, 0);
        Assert.Equal(DnsOutcome.Ask, reply.Outcome);
        Assert.Equal("www.example.test.", WireName.ToText(output.AsSpan(0, reply.Length)));
    }

    [Fact]
    public async Task HotPathMakesNoObjects()
    {
        AnswerCache cache = new(1 << 20, TimeSpan.FromHours(1));
        DnsCore core = await TestPark.CoreAsync(cache);
        byte[][] queries =
        [
            TestPark.Query("video.default.svc.cluster.local", 1, payload: 1232),
            TestPark.Query("video.default.svc.cluster.local", 28),
            TestPark.Query("nothing.default.svc.cluster.local", 1),
            TestPark.Query("video.cluster.local.service", 1),
            TestPark.Query("db.default.svc.cluster.local", 1),
            TestPark.Query("_sql._tcp.db.default.svc.cluster.local", 33),
            TestPark.Query("10.0.96.10.in-addr.arpa", 12),
            TestPark.Query("inside.default.svc.cluster.local", 1),
            TestPark.Query("www.example.test", 1),
        ];
        byte[] key = Key("www.example.test", 1);
        byte[] asked = UpstreamMessage.Query(key, 1, withEdns: false);
        cache.Put(key, UpstreamMessage.Read(key, TestPark.Answer(asked, 60, "198.51.100.7"), 0)!);
        byte[] output = new byte[DnsLimits.UdpPayload];
        long Round()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (byte[] query in queries)
            {
                if (core.Handle(query, output, false, 0).Outcome != DnsOutcome.Answer)
                {
                    return -1;
                }
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        for (int i = 0; i < 100; i++)
        {
            Round();
        }

        Assert.Equal(0, Round());
    }

    [Fact]
    public async Task RandomBytesNeverThrow()
    {
        DnsCore core = await TestPark.CoreAsync();
        Gen.Byte.Array[0, 600].Sample(bytes => Ask(core, bytes).Length <= DnsLimits.UdpPayload, iter: 20_000, threads: 1);
    }

    [Fact]
    public async Task MutatedQueriesNeverThrowAndKeepTheirId()
    {
        DnsCore core = await TestPark.CoreAsync();
        byte[][] seeds =
        [
            TestPark.Query("_sql._tcp.db.default.svc.cluster.local", 33, payload: 4096),
            TestPark.Query("away.default.svc.cluster.local", 255, payload: 512),
            TestPark.Query("fd00--5.shop.pod.cluster.local", 28),
            TestPark.Query("10.0.96.10.in-addr.arpa", 12),
        ];
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Select(Gen.Int[2, 80], Gen.Byte).Array[1, 6], Gen.Int[0, 90]).Sample(
            (seed, changes, cut) =>
            {
                byte[] query = [.. seeds[seed]];
                foreach ((int at, byte value) in changes)
                {
                    query[at % query.Length] = value;
                }

                query = query[..Math.Min(query.Length, Math.Max(cut, 20))];
                byte[] answer = Ask(core, query);
                return answer.Length == 0 || answer.AsSpan(0, 2).SequenceEqual(query.AsSpan(0, 2));
            },
            iter: 50_000,
            threads: 1);
    }

    [Fact]
    public async Task MutatedUpstreamMessagesNeverThrow()
    {
        byte[] key = Key("www.example.test", 1);
        byte[] query = UpstreamMessage.Query(key, 0x1234, withEdns: true);
        byte[][] seeds = [TestPark.Answer(query, 60, "198.51.100.7", "198.51.100.8"), TestPark.Missing(query, 60, 30)];
        byte[] output = new byte[DnsLimits.TcpMessage];
        DnsCore core = await TestPark.CoreAsync();
        byte[] client = TestPark.Query("www.example.test", 1);
        Gen.Select(Gen.Int[0, 1], Gen.Select(Gen.Int[2, 120], Gen.Byte).Array[1, 6], Gen.Int[12, 200]).Sample(
            (seed, changes, cut) =>
            {
                byte[] message = [.. seeds[seed]];
                foreach ((int at, byte value) in changes)
                {
                    message[at % message.Length] = value;
                }

                message = message[..Math.Min(message.Length, cut)];
                if (UpstreamMessage.IsAnswerTo(query, message) && UpstreamMessage.Read(key, message, 0) is { } answer)
                {
                    DnsReply reply = core.Handle(client, output, true, 1000, new Fetched(answer, AnswerSource.Upstream));
                    Assert.Equal(DnsOutcome.Answer, reply.Outcome);
                }
            },
            iter: 50_000,
            threads: 1);
    }

    [Fact]
    public async Task TtlCountsDownInTheCache()
    {
        AnswerCache cache = new(1 << 20, TimeSpan.FromHours(1));
        DnsCore core = await TestPark.CoreAsync(cache);
        byte[] key = Key("www.example.test", 1);
        cache.Put(key, UpstreamMessage.Read(key, TestPark.Answer(UpstreamMessage.Query(key, 1, false), 60, "198.51.100.7"), 0)!);
        byte[] output = new byte[512];
        DnsReply reply = core.Handle(TestPark.Query("www.example.test", 1), output, false, 20_000);
        Assert.Equal("00000028", Convert.ToHexString(output.AsSpan(reply.Length - 10, 4)));
        Assert.Equal(DnsOutcome.Ask, core.Handle(TestPark.Query("www.example.test", 1), output, false, 60_000).Outcome);
    }

    [Fact]
    public void CacheStaysWithinItsBound()
    {
        AnswerCache cache = new(100_000, TimeSpan.FromHours(1));
        for (int i = 0; i < 5_000; i++)
        {
            byte[] key = Key($"n{i % 3000}.example.test", 1);
            cache.Put(key, UpstreamMessage.Read(key, TestPark.Answer(UpstreamMessage.Query(key, 1, false), 60, "198.51.100.7"), i)!);
            Assert.InRange(cache.Bytes, 1, 100_000);
            Assert.True(cache.TryGetFresh(key, i, out _) || i == 0);
        }

        Assert.InRange(cache.Count, 50, 1_000);
    }

    [Fact]
    public async Task IndexForgetsWhatIsGone()
    {
        DnsCore core = await TestPark.CoreAsync(more: update =>
        {
            update.RemoveService(new ServiceName("shop", "parking"));
            update.RemoveSlice(new ServiceName("default", "db"), "default/db-a");
        });
        Assert.Equal(3, TestPark.Rcode(Ask(core, TestPark.Query("parking.shop.svc.cluster.local", 1))));
        Assert.Equal(3, TestPark.Rcode(Ask(core, TestPark.Query("shop.svc.cluster.local", 1))));
        Assert.Equal(3, TestPark.Rcode(Ask(core, TestPark.Query("db-0.db.default.svc.cluster.local", 1))));
        Assert.Equal(0, TestPark.Rcode(Ask(core, TestPark.Query("172-17-0-3.db.default.svc.cluster.local", 1))));
    }

    internal static byte[] Key(string name, ushort type)
    {
        byte[] key = new byte[QuestionKey.MaxLength];
        return key[..QuestionKey.Write(key, WireName.FromText(name), type, DnsType.ClassIn)];
    }

    private static byte[] Ask(DnsCore core, byte[] query)
    {
        byte[] output = new byte[DnsLimits.UdpPayload];
        DnsReply reply = core.Handle(query, output, false, 0);
        return reply.Outcome == DnsOutcome.Answer ? output[..reply.Length] : [];
    }
}
