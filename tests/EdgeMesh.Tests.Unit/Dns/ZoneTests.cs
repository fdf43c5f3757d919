using DnsClient;
using DnsClient.Protocol;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Dns;

/// <summary>The specification's rules, asked over UDP and TCP with the DnsClient library. Expected: rcode, then the answer section.</summary>
public sealed class ZoneTests(DnsServerFixture server) : IClassFixture<DnsServerFixture>
{
    public static TheoryData<string, QueryType, string> Rules => new()
    {
        // 1, 2: version, ClusterIP Services
        { "dns-version.cluster.local", QueryType.TXT, "NoError TXT 1.1.0" },
        { "video.default.svc.cluster.local", QueryType.A, "NoError A 10.96.0.10" },
        { "video.default.svc.cluster.local", QueryType.AAAA, "NoError" },
        { "video.default.svc.cluster.local", QueryType.MX, "NoError" },
        { "parking.shop.svc.cluster.local", QueryType.A, "NoError A 10.96.0.11" },
        { "parking.shop.svc.cluster.local", QueryType.AAAA, "NoError AAAA fd00::11" },
        { "nothing.default.svc.cluster.local", QueryType.A, "NotExistentDomain" },
        { "video.shop.svc.cluster.local", QueryType.A, "NotExistentDomain" },

        // 3: SRV of named ports
        { "_http._tcp.video.default.svc.cluster.local", QueryType.SRV, "NoError SRV 80 video.default.svc.cluster.local." },
        { "_rtp._udp.video.default.svc.cluster.local", QueryType.SRV, "NoError SRV 5004 video.default.svc.cluster.local." },
        { "_http._udp.video.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain" },
        { "_http._tcp.video.default.svc.cluster.local", QueryType.A, "NoError" },
        { "_tcp.video.default.svc.cluster.local", QueryType.SRV, "NoError" },
        { "_sctp.video.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain" },
        { "_http._tcp.parking.shop.svc.cluster.local", QueryType.SRV, "NotExistentDomain" },
        { "http._tcp.video.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain" },

        // 4: reverse names
        { "10.0.96.10.in-addr.arpa", QueryType.PTR, "NoError PTR video.default.svc.cluster.local." },
        { "1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", QueryType.PTR, "NoError PTR parking.shop.svc.cluster.local." },
        { "2.0.17.172.in-addr.arpa", QueryType.PTR, "NoError PTR db-0.db.default.svc.cluster.local." },
        { "3.0.17.172.in-addr.arpa", QueryType.PTR, "NoError PTR 172-17-0-3.db.default.svc.cluster.local." },
        { "9.0.17.172.in-addr.arpa", QueryType.PTR, "NotExistentDomain" },
        { "10.0.96.10.in-addr.arpa", QueryType.A, "NoError" },

        // 5: headless Services
        { "db.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.2; A 172.17.0.3" },
        { "db.default.svc.cluster.local", QueryType.AAAA, "NoError" },
        { "db-0.db.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.2" },
        { "172-17-0-3.db.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.3" },
        { "172-17-0-2.db.default.svc.cluster.local", QueryType.A, "NotExistentDomain" },
        { "db-2.db.default.svc.cluster.local", QueryType.A, "NotExistentDomain" },
        { "empty.default.svc.cluster.local", QueryType.A, "NotExistentDomain" },
        { "early.default.svc.cluster.local", QueryType.A, "NoError A 172.17.0.8" },
        { "_sql._tcp.db.default.svc.cluster.local", QueryType.SRV, "NoError SRV 15432 172-17-0-3.db.default.svc.cluster.local.; SRV 15432 db-0.db.default.svc.cluster.local." },
        { "_sql._tcp.empty.default.svc.cluster.local", QueryType.SRV, "NotExistentDomain" },

        // 6: ExternalName
        { "away.default.svc.cluster.local", QueryType.A, "NoError A 198.51.100.7; CNAME www.example.test." },
        { "away.default.svc.cluster.local", QueryType.CNAME, "NoError CNAME www.example.test." },
        { "inside.default.svc.cluster.local", QueryType.A, "NoError A 10.96.0.10; CNAME video.default.svc.cluster.local." },
        { "ring.default.svc.cluster.local", QueryType.A, "ServerFailure" },
        { "broken.default.svc.cluster.local", QueryType.A, "ServerFailure" },
        { "deep.away.default.svc.cluster.local", QueryType.A, "NotExistentDomain" },

        // 7: pods
        { "10-1-2-3.shop.pod.cluster.local", QueryType.A, "NoError A 10.1.2.3" },
        { "fd00--5.shop.pod.cluster.local", QueryType.AAAA, "NoError AAAA fd00::5" },
        { "10-1-2-3.shop.pod.cluster.local", QueryType.AAAA, "NoError" },
        { "10-1-2-300.shop.pod.cluster.local", QueryType.A, "NotExistentDomain" },
        { "web.shop.pod.cluster.local", QueryType.A, "NotExistentDomain" },

        // 8: what exists has no NXDOMAIN
        { "cluster.local", QueryType.NS, "NoError NS ns.dns.cluster.local." },
        { "cluster.local", QueryType.SOA, "NoError SOA ns.dns.cluster.local. hostmaster.cluster.local. 5" },
        { "cluster.local", QueryType.A, "NoError" },
        { "ns.dns.cluster.local", QueryType.A, "NoError A 127.0.0.1" },
        { "svc.cluster.local", QueryType.A, "NoError" },
        { "shop.svc.cluster.local", QueryType.A, "NoError" },
        { "nowhere.svc.cluster.local", QueryType.A, "NotExistentDomain" },
        { "pod.cluster.local", QueryType.A, "NoError" },
        { "other.cluster.local", QueryType.A, "NotExistentDomain" },
        { "a.b.c.d.e.svc.cluster.local", QueryType.A, "NotExistentDomain" },

        // 10: case does not matter
        { "ViDeO.DEFAULT.svc.Cluster.LOCAL", QueryType.A, "NoError A 10.96.0.10" },

        // 11: the rest goes upstream
        { "www.example.test", QueryType.A, "NoError A 198.51.100.7" },
        { "gone.example.test", QueryType.A, "NotExistentDomain" },
        { "notcluster.local", QueryType.A, "NotExistentDomain" },

        // 12: the alias zone
        { "video.cluster.local.service", QueryType.A, "NoError A 10.96.0.10" },
        { "video.default.cluster.local.service", QueryType.A, "NoError A 10.96.0.10" },
        { "parking.shop.cluster.local.service", QueryType.AAAA, "NoError AAAA fd00::11" },
        { "parking.cluster.local.service", QueryType.A, "NotExistentDomain" },
        { "shop.cluster.local.service", QueryType.A, "NoError" },
        { "db-0.db.default.cluster.local.service", QueryType.A, "NoError A 172.17.0.2" },
        { "_http._tcp.video.cluster.local.service", QueryType.SRV, "NoError SRV 80 video.default.svc.cluster.local." },
        { "cluster.local.service", QueryType.SOA, "NoError SOA ns.dns.cluster.local. hostmaster.cluster.local. 5" },

        // search path of a pod (ndots:5): the expansions of the alias form stay local
        { "video.cluster.local.service.default.svc.cluster.local", QueryType.A, "NotExistentDomain" },
        { "www.example.test.svc.cluster.local", QueryType.A, "NotExistentDomain" },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public async Task AnswersByTheSpecification(string name, QueryType type, string expected)
    {
        foreach (bool tcp in (bool[])[false, true])
        {
            IDnsQueryResponse response = await server.Client(tcp).QueryAsync(name, type);
            Assert.Equal(expected, Text(response));
            bool isNegative = response.Answers.Count == 0 && response.Header.ResponseCode is DnsHeaderResponseCode.NoError or DnsHeaderResponseCode.NotExistentDomain;
            Assert.Equal(isNegative, response.Authorities.OfType<SoaRecord>().Any());
        }
    }

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

    private static string Text(IDnsQueryResponse response)
    {
        IEnumerable<string> records = response.Answers.Select(record => record switch
        {
            AddressRecord address => $"{record.RecordType} {address.Address}",
            CNameRecord alias => $"CNAME {alias.CanonicalName}",
            SrvRecord service => $"SRV {service.Port} {service.Target}",
            PtrRecord pointer => $"PTR {pointer.PtrDomainName}",
            TxtRecord text => $"TXT {string.Join(' ', text.Text)}",
            NsRecord server => $"NS {server.NSDName}",
            SoaRecord soa => $"SOA {soa.MName} {soa.RName} {soa.Minimum}",
            _ => record.ToString(),
        });
        return $"{response.Header.ResponseCode} {string.Join("; ", records.Order(StringComparer.Ordinal))}".Trim();
    }
}
