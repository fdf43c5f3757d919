namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>One park for all these facts: three endpoints, one of them local.</summary>
public sealed class ServiceTrafficTests : IAsyncLifetime
{
    private const string Mixed = "10.96.0.10:80";
    private const string None = "10.96.0.11:80";
    private const string Remote = "10.96.0.12:80";
    private const string Own = "10.96.0.13:80";
    private const string Dead = "10.96.0.14:80";

    private ProxyNet net = null!;

    public async Task InitializeAsync()
    {
        net = await ProxyNet.RaiseAsync();
        await net.ServiceAsync("mixed", "10.96.0.10", "172.17.0.3@edge1", "172.17.0.3@edge2", "172.17.0.2@edge3");
        await net.ServiceAsync("none", "10.96.0.11");
        await net.ServiceAsync("remote", "10.96.0.12", "172.17.0.3@edge2");
        await net.ServiceAsync("own", "10.96.0.13", "172.17.0.2@edge1");
        await net.ServiceAsync("dead", "10.96.0.14", "172.17.0.2@edge2:9", "172.17.0.2@edge2", "172.17.0.2@edge3");
        await net.StartProxyAsync();
    }

    public async Task DisposeAsync() => await net.DisposeAsync();

    [Theory]
    [InlineData("pod1")]
    [InlineData("pod2")]
    [InlineData("host")]
    public async Task EachOfThreeEndpointsGetsItsShare(string from)
    {
        Dictionary<string, int> answers = await ProxyNet.CountAsync(Space(from), "spread", Mixed, "3000");

        Assert.Equal(["edge2", "edge3", "pod2"], answers.Keys.Order());
        Assert.All(answers.Values, n => Assert.InRange(n, 840, 1140));
        Assert.Equal(3000, answers.Values.Sum());
    }

    [Theory]
    [InlineData("pod1")]
    [InlineData("pod2")]
    [InlineData("host")]
    public async Task UdpIsSpreadToo(string from)
    {
        Dictionary<string, int> answers = await ProxyNet.CountAsync(Space(from), "udp-spread", Mixed, "600");

        Assert.Equal(["edge2", "edge3", "pod2"], answers.Keys.Order());
        Assert.All(answers.Values, n => Assert.InRange(n, 140, 260));
    }

    [Theory]
    [InlineData("pod1")]
    [InlineData("host")]
    public async Task NoEndpointIsRefusedAtOnce(string from)
    {
        Assert.Equal("refused", await ProxyNet.RunAsync(Space(from), "connect", None));
        Assert.Equal("refused", await ProxyNet.RunAsync(Space(from), "udp", None, "10"));
    }

    [Theory]
    [InlineData("pod1")]
    [InlineData("host")]
    public async Task PortTheServiceDoesNotDefineIsRefused(string from) =>
        Assert.Equal("refused", await ProxyNet.RunAsync(Space(from), "connect", "10.96.0.10:81"));

    [Theory]
    [InlineData(Remote, "edge2")]
    [InlineData(Own, "pod1")]
    public async Task HalfClosedConnectionStillGetsItsAnswer(string to, string name)
    {
        string[] answer = (await ProxyNet.RunAsync(net.Pod1, "upload", to, "10000000")).Split(' ');

        Assert.Equal((name, "10000000"), (answer[0], answer[2]));
    }

    [Theory]
    [InlineData(Remote)]
    [InlineData(Own)]
    public async Task ResetIsForwardedAsReset(string to) => Assert.Equal("reset", await ProxyNet.RunAsync(net.Pod1, "reset", to));

    [Fact]
    public async Task PodReachesItselfThroughItsService()
    {
        Assert.Equal("pod1", await ProxyNet.RunAsync(net.Pod1, "connect", Own));
        Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", Own, "1000"));
    }

    [Theory]
    [InlineData(Remote, 0)]
    [InlineData(Remote, 1)]
    [InlineData(Remote, 65507)]
    [InlineData(Own, 65507)]
    public async Task DatagramsKeepTheirBoundaries(string to, int bytes) =>
        Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", to, $"{bytes}"));

    [Theory]
    [InlineData(Remote)]
    [InlineData(Own)]
    public async Task ThreeThousandDatagramsAtTenThousandASecondArrive(string to) =>
        Assert.Equal("3000", await ProxyNet.RunAsync(net.Pod1, "udp-burst", to, "3000", "10000"));

    [Fact]
    public async Task DeadEndpointFailsNobody()
    {
        Dictionary<string, int> answers = await ProxyNet.CountAsync(net.Pod1, "spread", Dead, "500");

        Assert.Equal(["edge2", "edge3"], answers.Keys.Order());
        Assert.Equal(500, answers.Values.Sum());
    }

    [Fact]
    public async Task NobodyOutsideReachesTheAgent()
    {
        string listening = await ProxyNet.OutputAsync($"ip netns exec {net.Node} ss -Hltn src 169.254.96.16");
        string port = listening.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)[3].Split(':')[1];
        await ProxyNet.ShAsync($"ip -n {net.Peer2} route add 169.254.96.16 via 10.99.0.1");

        Assert.Equal("timeout", await ProxyNet.RunAsync(net.Peer2, "connect", $"169.254.96.16:{port}"));
        Assert.Equal("timeout", await ProxyNet.RunAsync(net.Peer2, "connect", Remote));

        // From a pod the forwarder is there, but without a DNAT it has no Service.
        Assert.Equal("reset", await ProxyNet.RunAsync(net.Pod1, "connect", $"169.254.96.16:{port}"));
    }

    private string Space(string name) => name switch
    {
        "pod1" => net.Pod1,
        "pod2" => net.Pod2,
        _ => net.Node,
    };
}
