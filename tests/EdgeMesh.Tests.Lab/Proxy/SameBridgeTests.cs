namespace EdgeMesh.Tests.Lab.Proxy;

public sealed class SameBridgeTests
{
    /// <summary>Netfilter that sees bridged packets keeps the client's address; where it does not, the reply has to be led back by masquerade.</summary>
    [Theory]
    [InlineData(true, "pod2 172.17.0.2 100")]
    [InlineData(false, "pod2 172.17.0.1 100")]
    public async Task LocalEndpointOnTheSameBridgeIsReachedInTheKernel(bool bridgeCall, string expected)
    {
        await using ProxyNet net = await ProxyNet.RaiseAsync(bridgeCall);
        await net.ServiceAsync("local", "10.96.0.20", "172.17.0.3@edge1");
        await net.StartProxyAsync();

        Assert.Equal(expected, await ProxyNet.RunAsync(net.Pod1, "upload", "10.96.0.20:80", "100"));
        Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", "10.96.0.20:80", "100"));
        Assert.Equal("same", await ProxyNet.RunAsync(net.Node, "udp", "10.96.0.20:80", "100"));

        // Hairpin goes through the agent, whatever the setting is.
        Assert.StartsWith("pod2 172.17.0.1", await ProxyNet.RunAsync(net.Pod2, "upload", "10.96.0.20:80", "100"), StringComparison.Ordinal);
        Assert.Equal("refused", await ProxyNet.RunAsync(net.Pod1, "connect", "10.96.0.20:81"));
    }
}
