using DnsClient;
using DnsClient.Protocol;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>What the zone does beyond single answers (those are in <see cref="Conformance.ResolutionTests"/>).</summary>
public sealed class ZoneTests(DnsServerFixture server) : IClassFixture<DnsServerFixture>
{
    [Fact]
    public async Task GivesAddressesOfServiceTargets()
    {
        IDnsQueryResponse one = await server.Client().QueryAsync("_http._tcp.video.default.svc.cluster.local", QueryType.SRV);
        Assert.Equal("10.96.0.10", Assert.Single(one.Additionals.OfType<ARecord>()).Address.ToString());
        IDnsQueryResponse many = await server.Client().QueryAsync("_sql._tcp.db.default.svc.cluster.local", QueryType.SRV);
        Assert.Equal(["172.17.0.2", "172.17.0.3"], many.Additionals.OfType<ARecord>().Select(record => record.Address.ToString()).Order());
    }

    [Fact]
    public async Task RotatesHeadlessAnswers()
    {
        HashSet<string> first = [];
        for (int i = 0; i < 100 && first.Count < 2; i++)
        {
            first.Add((await server.Client().QueryAsync("db.default.svc.cluster.local", QueryType.A)).Answers.ARecords().First().Address.ToString());
        }

        Assert.Equal(2, first.Count);
    }

    [Fact]
    public async Task NewServiceIsResolvedThoughItWasAskedForBefore()
    {
        const string name = "late.default.svc.cluster.local";
        LookupClient client = server.Client();
        Assert.Equal(DnsHeaderResponseCode.NotExistentDomain, (await client.QueryAsync(name, QueryType.A)).Header.ResponseCode);
        MeshUpdate update = new(server.Cell.Current);
        update.Set(TestPark.ClusterIP("default", "late", ["10.96.0.77"]));
        server.Cell.Publish(update);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        while ((await client.QueryAsync(name, QueryType.A, cancellationToken: patience.Token)).Answers.Count == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task LongAnswerIsTruncatedOverUdpAndWholeOverTcp()
    {
        // The library refuses a truncated answer when it may not fall back to TCP.
        DnsResponseException cut = await Assert.ThrowsAsync<DnsResponseException>(
            () => server.Client(payload: 512).QueryAsync("many.example.test", QueryType.A));
        Assert.Contains("truncated", cut.Message, StringComparison.Ordinal);
        IDnsQueryResponse whole = await server.Client(tcp: true).QueryAsync("many.example.test", QueryType.A);
        Assert.False(whole.Header.ResultTruncated);
        Assert.Equal(200, whole.Answers.Count);
        IDnsQueryResponse wide = await server.Client(payload: 4096).QueryAsync("many.example.test", QueryType.A);
        Assert.Equal(200, wide.Answers.Count);
    }
}
