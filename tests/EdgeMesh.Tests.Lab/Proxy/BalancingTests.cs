namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Option <c>proxy.balancing</c> with real traffic: edge2 is 20 ms away, edge3 30 (tests/EdgeMesh.ProxyHost).</summary>
public sealed class BalancingTests
{
    [Theory]
    [InlineData("172.17.0.3@edge1 172.17.0.3@edge2 172.17.0.3@edge3", "pod2")]
    [InlineData("172.17.0.3@edge2 172.17.0.3@edge3", "edge2")]
    [InlineData("172.17.0.3@edge2:9 172.17.0.3@edge3", "edge3", false)]
    public async Task NearestTakesTheNearestThatWorks(string endpoints, string expected, bool alsoUdp = true)
    {
        await using ProxyNet net = await ProxyNet.RaiseAsync();
        await net.StartProxyAsync("--balancing=Nearest");
        await net.ServiceAsync("near", "10.96.0.50", endpoints.Split(' '));

        Assert.Equal([expected], (await ProxyNet.CountAsync(net.Pod1, "spread", "10.96.0.50:80", "60")).Keys);
        // Nobody hears of a datagram that found nobody.
        string[] udp = alsoUdp ? [expected] : [];
        Assert.Equal(udp, (await ProxyNet.CountAsync(net.Pod1, "udp-spread", "10.96.0.50:80", alsoUdp ? "20" : "0")).Keys);
    }

    [Fact]
    public async Task LeastLoadedKeepsOpenConnectionsEven()
    {
        await using ProxyNet net = await ProxyNet.RaiseAsync();
        await net.StartProxyAsync("--balancing=LeastLoaded");
        await net.ServiceAsync("least", "10.96.0.51", "172.17.0.3@edge1", "172.17.0.3@edge2", "172.17.0.3@edge3");

        Dictionary<string, int> held = await ProxyNet.CountAsync(net.Pod1, "hold", "10.96.0.51:80", "90");

        Assert.Equal(90, held.Values.Sum());
        Assert.All(held.Values, count => Assert.InRange(count, 27, 33));
    }
}
