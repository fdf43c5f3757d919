namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Clients outside (the peers' hosts, 10.99.0.2 and .3) and inside, at node ports, externalIPs and LoadBalancer addresses.</summary>
public sealed class FrontTrafficTests(FrontNet park) : IClassFixture<FrontNet>
{
    private const string Pod2At = FrontNet.Pod2At;
    private const string Edge2At = FrontNet.Edge2At;

    private readonly ProxyNet net = park.Net;

    [Theory]
    [InlineData("outside", "10.99.0.1:30080")]
    [InlineData("pod1", "10.99.0.1:30080")]
    [InlineData("host", "10.99.0.1:30080")]
    [InlineData("outside", "198.51.100.1:80")]
    [InlineData("outside", "10.99.0.1:80")]
    [InlineData("pod1", "198.51.100.1:80")]
    public async Task BothEndpointsGetTheirShare(string from, string to)
    {
        Dictionary<string, int> tcp = await ProxyNet.CountAsync(Space(from), "spread", to, "400");
        Dictionary<string, int> udp = await ProxyNet.CountAsync(Space(from), "udp-spread", to, "200");

        Assert.Equal(["edge2", "pod2"], tcp.Keys.Order());
        Assert.InRange(tcp["pod2"], 140, 260);
        Assert.Equal(["edge2", "pod2"], udp.Keys.Order());
        Assert.InRange(udp["pod2"], 60, 140);
    }

    [Theory]
    [InlineData("10.99.0.1:30081", "pod2 10.99.0.2 100")]
    [InlineData("10.99.0.1:30087", "pod1 10.99.0.2 100")]
    [InlineData("203.0.113.1:80", "pod2 10.99.0.2 100")]
    public async Task LocalEndpointSeesTheClientsAddress(string to, string expected) =>
        Assert.Equal(expected, await ProxyNet.RunAsync(net.Peer2, "upload", to, "100"));

    [Fact]
    public async Task LocalPolicyKeepsOutsideClientsOnThisNodeAndInsideOnesHaveAll()
    {
        Assert.Equal(["pod2"], (await ProxyNet.CountAsync(net.Peer2, "spread", "10.99.0.1:30081", "60")).Keys);
        Assert.Equal(["pod2"], (await ProxyNet.CountAsync(net.Peer2, "udp-spread", "10.99.0.1:30081", "40")).Keys);
        Assert.Equal(["edge2", "pod2"], (await ProxyNet.CountAsync(net.Pod1, "spread", "10.99.0.1:30081", "60")).Keys.Order());
    }

    [Fact]
    public async Task LocalPolicyWithoutLocalEndpointDropsOutsideClientsOnly()
    {
        Assert.Equal("timeout", await ProxyNet.RunAsync(net.Peer2, "connect", "10.99.0.1:30082"));
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Pod1, "connect", "10.99.0.1:30082"));
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Node, "connect", "10.99.0.1:30082"));
    }

    [Fact]
    public async Task AffinityUnderLocalPolicyKeepsClientAndAddress()
    {
        Dictionary<string, int> answers = await ProxyNet.CountAsync(net.Peer2, "spread", "10.99.0.1:30083", "60");

        Assert.Equal(60, Assert.Single(answers).Value);
        Assert.Contains("10.99.0.2", await ProxyNet.RunAsync(net.Peer2, "upload", "10.99.0.1:30083", "10"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SourceRangesKeepOthersOut()
    {
        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Peer2, "connect", "203.0.113.1:80"));
        Assert.Equal("timeout", await ProxyNet.RunAsync(net.Peer3, "connect", "203.0.113.1:80"));
        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Peer3, "connect", "10.99.0.1:30085"));
    }

    [Fact]
    public async Task NodePortOfAServiceWithoutEndpointsIsRefused() =>
        Assert.Equal("refused", await ProxyNet.RunAsync(net.Peer2, "connect", "10.99.0.1:30088"));

    [Fact]
    public async Task TheNodesOtherPortsStayItsOwn() => Assert.Equal("host", await ProxyNet.RunAsync(net.Peer2, "connect", "10.99.0.1:8080"));

    [Fact]
    public async Task PodReachesItselfThroughItsNodePort()
    {
        Assert.Equal("pod1", await ProxyNet.RunAsync(net.Pod1, "connect", "10.99.0.1:30087"));
        Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", "10.99.0.1:30087", "100"));
    }

    [Fact]
    public async Task HealthPortFollowsTheLocalEndpoints()
    {
        string healthy = await ProxyNet.RunAsync(net.Peer2, "upload", "10.99.0.1:32086", "10");
        Assert.StartsWith("HTTP/1.1 200 OK", healthy, StringComparison.Ordinal);
        Assert.Contains("X-Load-Balancing-Endpoint-Weight: 1\r\n", healthy, StringComparison.Ordinal);
        Assert.EndsWith(
            """{"service":{"namespace":"default","name":"checked"},"localEndpoints":1,"serviceProxyHealthy":true}""", healthy, StringComparison.Ordinal);

        await net.ServiceWithAsync(
            "checked", "10.96.0.46",
            "type: LoadBalancer\nnodePort: 30086\nexternalTrafficPolicy: Local\nhealthCheckNodePort: 32086\ningress: 203.0.113.2",
            "172.17.0.2@edge1 conditions: {ready: false, terminating: true}", Edge2At);

        // It serves on, but nobody is to be sent to it any more.
        Assert.Equal("pod1", await ProxyNet.RunAsync(net.Peer2, "connect", "10.99.0.1:30086"));
        Assert.StartsWith("HTTP/1.1 503", await ProxyNet.RunAsync(net.Peer2, "upload", "10.99.0.1:32086", "10"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RemovedFrontsLeaveNothing()
    {
        Assert.Contains("203.0.113.9", await net.NftAsync("list table ip edgemesh"), StringComparison.Ordinal);
        await net.ServiceAsync("gone", "10.96.0.49", Pod2At);

        string table = await net.NftAsync("list table ip edgemesh");
        Assert.DoesNotContain("203.0.113.9", table, StringComparison.Ordinal);
        Assert.DoesNotContain("198.51.100.9", table, StringComparison.Ordinal);
        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Peer2, "connect", "10.99.0.1:30081"));
    }

    private string Space(string name) => name switch
    {
        "outside" => net.Peer2,
        "pod1" => net.Pod1,
        _ => net.Node,
    };
}
