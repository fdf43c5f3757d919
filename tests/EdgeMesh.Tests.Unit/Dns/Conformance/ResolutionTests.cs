using System.Globalization;
using System.Text.RegularExpressions;
using ARSoft.Tools.Net;
using ARSoft.Tools.Net.Dns;
using DnsClient;
using DnsClient.Protocol;
using Ars = ARSoft.Tools.Net.Dns;

namespace EdgeMesh.Tests.Unit.Dns.Conformance;

/// <summary>Every case asked with three resolvers that share no code with ours or each other: <c>dig</c>, DnsClient and ARSoft.Tools.Net.</summary>
public sealed partial class ResolutionTests(DnsServerFixture server) : IClassFixture<DnsServerFixture>
{
    private const string NoError = "NoError";
    private const string Missing = "NotExistentDomain";
    private const string Failure = "ServerFailure";

    public static TheoryData<string> Ids => [.. ResolutionCase.All.Select(c => c.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task DnsClientAndDigAndArsoftAgreeWithTheSpecification(string id)
    {
        ResolutionCase question = ResolutionCase.All.Single(c => c.Id == id);
        foreach (bool tcp in (bool[])[false, true])
        {
            IDnsQueryResponse response = await server.Client(tcp).QueryAsync(question.Name, question.Type);
            Assert.Equal(question.Expected, Text(response));
            bool isEmpty = response.Answers.All(r => r is DnsClient.Protocol.CNameRecord) && (question.Type != QueryType.CNAME || response.Answers.Count == 0);
            bool isNegative = isEmpty && response.Header.ResponseCode is DnsHeaderResponseCode.NoError or DnsHeaderResponseCode.NotExistentDomain;
            Assert.Equal(isNegative, response.Authorities.OfType<DnsClient.Protocol.SoaRecord>().Any());
            Assert.Equal(question.Expected, await DigAsync(question, tcp));
            Assert.Equal(question.Expected, await ArsoftAsync(question, tcp));
        }
    }

    private static string Text(IDnsQueryResponse response) => Join(response.Header.ResponseCode.ToString(), response.Answers.Select(record => record switch
    {
        AddressRecord address => $"{record.RecordType} {address.Address}",
        DnsClient.Protocol.CNameRecord alias => $"CNAME {alias.CanonicalName}",
        DnsClient.Protocol.SrvRecord service => $"SRV {service.Port} {service.Target}",
        DnsClient.Protocol.PtrRecord pointer => $"PTR {pointer.PtrDomainName}",
        DnsClient.Protocol.TxtRecord text => $"TXT {string.Join(' ', text.Text)}",
        DnsClient.Protocol.NsRecord name => $"NS {name.NSDName}",
        DnsClient.Protocol.SoaRecord soa => $"SOA {soa.MName} {soa.RName} {soa.Minimum}",
        _ => record.ToString(),
    }));

    private async Task<string> DigAsync(ResolutionCase question, bool tcp)
    {
        string said = await Dig.RunAsync(server.Address, question.Name, question.Type.ToString(), tcp ? "+tcp" : "+notcp", "+noall", "+comments", "+answer");
        string status = Status().Match(said).Groups[1].Value switch
        {
            "NOERROR" => NoError,
            "NXDOMAIN" => Missing,
            "SERVFAIL" => Failure,
            string other => other,
        };
        return Join(status, said.Split('\n').Where(l => l.Length > 0 && l[0] != ';').Select(l => Spaces().Split(l)).Select(f => f[3] switch
        {
            "SRV" => $"SRV {f[6]} {f[7]}",
            "SOA" => $"SOA {f[4]} {f[5]} {f[^1]}",
            "TXT" => $"TXT {f[4].Trim('"')}",
            _ => $"{f[3]} {f[4]}",
        }));
    }

    private async Task<string> ArsoftAsync(ResolutionCase question, bool tcp)
    {
        IClientTransport transport = tcp ? new TcpClientTransport(server.Address.Port) : new UdpClientTransport(server.Address.Port);
        using Ars.DnsClient client = new([server.Address.Address], [transport], disposeTransport: true, queryTimeout: 10_000);
        DnsMessage response = (await client.ResolveAsync(
            DomainName.Parse(question.Name), Enum.Parse<RecordType>(question.Type.ToString(), ignoreCase: true)))!;
        string status = response.ReturnCode switch
        {
            ReturnCode.NoError => NoError,
            ReturnCode.NxDomain => Missing,
            ReturnCode.ServerFailure => Failure,
            ReturnCode other => other.ToString(),
        };
        return Join(status, response.AnswerRecords.Select(record => record switch
        {
            AddressRecordBase address => $"{record.RecordType.ToString().ToUpperInvariant()} {address.Address}",
            Ars.CNameRecord alias => $"CNAME {alias.CanonicalName}",
            Ars.SrvRecord service => string.Create(CultureInfo.InvariantCulture, $"SRV {service.Port} {service.Target}"),
            Ars.PtrRecord pointer => $"PTR {pointer.PointerDomainName}",
            Ars.TxtRecord text => $"TXT {text.TextData}",
            Ars.NsRecord name => $"NS {name.NameServer}",
            Ars.SoaRecord soa => $"SOA {soa.MasterName} {soa.ResponsibleName} {soa.NegativeCachingTTL}",
            _ => record.ToString()!,
        }));
    }

    private static string Join(string code, IEnumerable<string> records) =>
        $"{code} {string.Join("; ", records.Order(StringComparer.Ordinal))}".Trim();

    [GeneratedRegex(@"status: (\w+)")]
    private static partial Regex Status();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
