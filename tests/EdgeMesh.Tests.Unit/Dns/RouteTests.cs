using System.Net;
using EdgeMesh.Dns;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>Domains, stub domains and search lists through a running server, asked with somebody else's resolver.</summary>
public sealed class RouteTests : IAsyncLifetime
{
    private readonly SnapshotCell cell = new();
    private readonly string resolvConf = Path.GetTempFileName();
    private readonly List<(IPEndPoint Server, string Name)> asked = [];
    private DnsService service = null!;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(resolvConf, "search svc.cluster.local lan corp.example\nnameserver 192.0.2.1\n");
        TestPark.Publish(cell);
        service = Start([]);
        await service.StartAsync(CancellationToken.None);
        await Eventually.HoldsAsync(() => service.Status.IsSynced);
    }

    public async Task DisposeAsync()
    {
        await service.DisposeAsync();
        File.Delete(resolvConf);
    }

    [Theory]
    [InlineData("video.default.svc.cluster.local", "10.96.0.10")]
    [InlineData("video.default.svc.two.example", "10.96.0.10")]
    [InlineData("video.default.svc.sub.two.example", "10.96.0.10")]
    [InlineData("video.cluster.local.service", "10.96.0.10")]
    [InlineData("parking.shop.mesh", "10.96.0.11")]
    [InlineData("inside.default.svc.two.example", "video.default.svc.cluster.local.\n10.96.0.10")]
    public async Task EveryDomainAndAliasIsServed(string name, string expected) => Assert.Equal(expected, await DigAsync("+short", name));

    [Fact]
    public async Task SrvTargetsStayInTheDomainAskedFor() =>
        Assert.Equal(
            "0 100 80 video.default.svc.two.example.",
            await DigAsync("+short", "_http._tcp.video.default.svc.two.example", "SRV"));

    [Fact]
    public async Task ReverseNamesAreOfTheFirstDomain() =>
        Assert.Equal("video.default.svc.cluster.local.", await DigAsync("+short", "-x", "10.96.0.10"));

    [Theory]
    [InlineData("video.default.svc.cluster.local.lan")]
    [InlineData("nosuch.cluster.local.corp.example")]
    [InlineData("www.example.com.svc.two.example.lan")]
    public async Task ExpansionOfAClusterNameNeverGoesUpstream(string name)
    {
        string text = await DigAsync("+norec", name);
        Assert.Contains("status: NXDOMAIN", text, StringComparison.Ordinal);
        Assert.Contains("SOA", text, StringComparison.Ordinal);
        Assert.DoesNotContain(asked.ToArray(), question => question.Name == name + ".");
    }

    [Fact]
    public async Task OtherNamesOfTheSearchDomainGoUpstream()
    {
        Assert.Equal("198.51.100.1", await DigAsync("+short", "printer.lan"));
        Assert.Equal("198.51.100.1", await DigAsync("+short", "cluster.lan"));
    }

    [Theory]
    [InlineData("www.corp.test", "198.51.100.2")]
    [InlineData("corp.test", "198.51.100.2")]
    [InlineData("www.deep.corp.test", "198.51.100.3")]
    [InlineData("xcorp.test", "198.51.100.1")]
    public async Task LongestStubDomainIsAsked(string name, string expected) => Assert.Equal(expected, await DigAsync("+short", name));

    [Fact]
    public async Task StrangersGetClusterNamesButNoRecursionNotEvenFromTheCache()
    {
        DnsAddress local = DnsAddress.From(IPAddress.Loopback);
        DnsAddress stranger = DnsAddress.From(IPAddress.Parse("203.0.113.9"));
        ClientGate gate = new(ClientGate.PrivateNetworks, 0);
        DnsClock clock = new(TimeProvider.System);
        AnswerCache cache = new(1 << 20, TimeSpan.FromHours(1));
        DnsCore core = await TestPark.CoreAsync(cache);
        UpstreamSet one = new(
            (_, query, _, _) => ValueTask.FromResult(TestPark.Answer(query, 300, "198.51.100.7")), [], TimeSpan.FromSeconds(1), clock, TimeProvider.System,
            NullLogger.Instance);
        one.Set([new IPEndPoint(IPAddress.Parse("192.0.2.1"), 53)]);
        await using Resolver resolver = new(new UpstreamRoutes(one, []), cache, TimeSpan.FromSeconds(1), 4, clock, TimeProvider.System);
        DnsEngine engine = new(core, resolver, gate, clock);
        byte[] output = new byte[DnsLimits.UdpPayload];
        byte[] question = TestPark.Query("www.example.test", 1);
        DnsReply asked = engine.Handle(question, output, false, local);
        Assert.Equal(DnsOutcome.Ask, asked.Outcome);
        Fetched fetched = await engine.FetchAsync(output[..asked.Length]);
        engine.Finish(question, fetched, output, false, 0);
        Assert.Equal((DnsOutcome.Answer, 0), (engine.Handle(question, output, false, local).Outcome, TestPark.Rcode(output)));

        Assert.Equal(DnsOutcome.Answer, engine.Handle(question, output, false, stranger).Outcome);
        Assert.Equal((int)DnsRcode.Refused, TestPark.Rcode(output));
        engine.Handle(TestPark.Query("video.default.svc.cluster.local", 1), output, false, stranger);
        Assert.Equal(0, TestPark.Rcode(output));
    }

    [Fact]
    public async Task ClientOverItsRateIsRefusedUpstreamButNotClusterNames()
    {
        await using DnsService limited = Start([], rate: 1);
        await limited.StartAsync(CancellationToken.None);
        await Eventually.HoldsAsync(() => limited.Status.IsSynced);
        string[] codes = new string[6];
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = (await DigAsync(limited, "+tries=1", $"n{i}.test")).Contains("REFUSED", StringComparison.Ordinal) ? "REFUSED" : "";
        }

        Assert.Equal("", codes[0]);
        Assert.Contains("REFUSED", codes);
        Assert.Equal("10.96.0.10", await DigAsync(limited, "+short", "video.default.svc.cluster.local"));
    }

    private DnsService Start(IReadOnlyList<IPEndPoint> upstreams, int rate = 500) => new(
        cell,
        new DnsOptions
        {
            ListenAddresses = [new IPEndPoint(IPAddress.Loopback, 0)],
            Upstreams = upstreams,
            ResolvConfPath = resolvConf,
            ClusterDomains = ["cluster.local", "two.example", "sub.two.example"],
            AliasZones = ["cluster.local.service", "mesh"],
            StubDomains = [Stub("corp.test", 2), Stub("deep.corp.test", 3)],
            ClientRate = rate,
        },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        Upstream);

    private static StubDomain Stub(string domain, byte last) => new(domain, [new IPEndPoint(new IPAddress([192, 0, 2, last]), 53)]);

    private ValueTask<byte[]> Upstream(IPEndPoint server, byte[] query, bool isStream, CancellationToken stop)
    {
        lock (asked)
        {
            asked.Add((server, WireName.ToText(query.AsSpan(12))));
        }

        return ValueTask.FromResult(TestPark.Answer(query, 300, $"198.51.100.{server.Address.GetAddressBytes()[3]}"));
    }

    private Task<string> DigAsync(params string[] arguments) => DigAsync(service, arguments);

    private static async Task<string> DigAsync(DnsService server, params string[] arguments) =>
        (await Dig.RunAsync(server.Status.Listening[0], arguments)).Trim();
}
