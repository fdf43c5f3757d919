namespace EdgeMesh.Tests.Lab.Proxy.Conformance;

/// <summary>Which endpoints get the traffic: the cases of Kubernetes, with real packets, by TCP and by UDP.</summary>
public sealed class TopologyTests(TopologyNet park) : IClassFixture<TopologyNet>
{
    public static TheoryData<string> Cases => [.. TopologyCase.All.Select(c => c.Id)];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task ByTcp(string id) => AssertAsync(id, "spread");

    [Theory]
    [MemberData(nameof(Cases))]
    public Task ByUdp(string id) => AssertAsync(id, "udp-spread");

    private async Task AssertAsync(string id, string verb)
    {
        TopologyCase each = TopologyCase.All.Single(c => c.Id == id);
        (string space, string to) = park.Client(each);

        // Of three even endpoints one is missed by 40 connections once in ten million times; a drop is waited for.
        Dictionary<string, int> answers = await ProxyNet.CountAsync(
            space, each.Expected switch
            {
                "timeout" => [verb, to, "2", "--impatient"],
                "refused" => [verb, to, "2"],
                _ => [verb, to, "40"],
            });

        Assert.Equal(each.Expected.Split(' '), answers.Keys.Order(StringComparer.Ordinal));
    }
}
