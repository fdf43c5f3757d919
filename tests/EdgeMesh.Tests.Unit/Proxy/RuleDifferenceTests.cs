using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy;

public class RuleDifferenceTests
{
    // Shortened from nft 1.0.6 -j list table.
    private const string Json = """
        {"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
         {"table": {"family": "ip", "name": "edgemesh", "handle": 1}},
         {"map": {"family": "ip", "name": "services", "table": "edgemesh", "type": ["ipv4_addr", "inet_proto", "inet_service"], "handle": 2, "map": "verdict",
           "elem": [[{"concat": ["10.96.0.10", "tcp", 80]}, {"goto": {"target": "n3"}}]]}},
         {"set": {"family": "ip", "name": "allowed", "table": "edgemesh", "handle": 3, "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}]}},
         {"chain": {"family": "ip", "table": "edgemesh", "name": "output", "handle": 4, "type": "nat", "hook": "output", "prio": -101, "policy": "accept"}},
         {"rule": {"family": "ip", "table": "edgemesh", "chain": "output", "handle": 9, "expr": [{"accept": null}]}}]}
        """;

    [Fact]
    public void PartsAreTheSameWhateverTheirHandles()
    {
        Assert.Equal(
            [
                "chain output output -101 accept", "element allowed { 10.0.0.0/8 }", "element services { 10.96.0.10 . tcp . 80 : goto n3 }",
                "map services", "rule output: {\"accept\": null}", "set allowed", "table edgemesh",
            ],
            RuleDifference.Parse(Json).Order(StringComparer.Ordinal));
        Assert.Equal(RuleDifference.Parse(Json), RuleDifference.Parse(Json.Replace("\"handle\": 9", "\"handle\": 10", StringComparison.Ordinal)));
    }
}
