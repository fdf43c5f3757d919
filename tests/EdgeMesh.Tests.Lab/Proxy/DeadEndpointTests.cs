namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Endpoints that are listed and refuse: no client notices as long as another one serves.</summary>
public sealed class DeadEndpointTests : IAsyncLifetime
{
    private const string LocalDead = "172.17.0.3@edge1:9999";
    private const string RemoteDead = "10.99.0.2@edge2:9999";
    private ProxyNet net = null!;

    public async Task InitializeAsync() => net = await ProxyNet.RaiseAsync();

    public async Task DisposeAsync() => await net.DisposeAsync();

    [Theory]
    [InlineData("pod", LocalDead, "172.17.0.3@edge1", "10.99.0.3@edge3")]
    [InlineData("pod", LocalDead, "172.17.0.3@edge1", "172.17.0.2@edge1")]
    [InlineData("pod", RemoteDead, "172.17.0.3@edge1", "10.99.0.3@edge3")]
    [InlineData("pod", LocalDead, "10.99.0.2@edge2", "10.99.0.3@edge3")]
    [InlineData("host", LocalDead, "172.17.0.3@edge1", "10.99.0.3@edge3")]
    public async Task NoRequestFails(string from, string dead, string first, string second)
    {
        string client = from == "pod" ? net.Pod1 : net.Node;
        await net.ServiceAsync("a", "10.96.4.1", dead, first, second);
        await net.StartProxyAsync();

        Dictionary<string, int> answers = await ProxyNet.CountAsync(client, "spread", "10.96.4.1:80", "10000");

        string[] living = [Name(first), Name(second)];
        Assert.True(
            answers.Keys.Order().SequenceEqual(living.Order()) && answers.Values.Sum() == 10_000,
            string.Join(", ", answers.Select(a => $"{a.Key} {a.Value}")) + "\n" + string.Join('\n', net.ProxyOutput.TakeLast(20)));

        // The living ones share what comes; the dead one's part goes to either.
        Assert.All(answers.Values, n => Assert.InRange(n, 3000, 7000));
    }

    private static string Name(string endpoint) => endpoint.Split('@') switch
    {
        [var address, "edge1"] => address.EndsWith(".2", StringComparison.Ordinal) ? "pod1" : "pod2",
        [_, var node] => node,
        _ => throw new ArgumentException(endpoint),
    };

    [Theory]
    [InlineData(LocalDead)]
    [InlineData(LocalDead, "172.17.0.3@edge1:9998")]
    [InlineData(LocalDead, RemoteDead)]
    public async Task WhereNobodyServesTheClientIsTold(params string[] endpoints)
    {
        await net.ServiceAsync("a", "10.96.4.1", endpoints);
        await net.StartProxyAsync();

        // Where the agent tried them all, the client was accepted before it is reset.
        Dictionary<string, int> answers = await ProxyNet.CountAsync(net.Pod1, "spread", "10.96.4.1:80", "50");
        Assert.Equal(50, answers.GetValueOrDefault("refused") + answers.GetValueOrDefault("reset"));
    }

    [Fact]
    public async Task ResetsOfRealConnectionsAndOfThePodsOwnAddressPass()
    {
        await net.ServiceAsync("a", "10.96.4.1", "172.17.0.3@edge1", "172.17.0.3@edge1:9999");
        await net.StartProxyAsync();

        Assert.Equal("refused", await ProxyNet.RunAsync(net.Pod1, "connect", "172.17.0.3:9999"));
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal("reset", await ProxyNet.RunAsync(net.Pod1, "reset", "10.96.4.1:80"));
        }

        Assert.DoesNotContain(net.ProxyOutput, line => line.Contains("repair", StringComparison.OrdinalIgnoreCase));
    }
}
