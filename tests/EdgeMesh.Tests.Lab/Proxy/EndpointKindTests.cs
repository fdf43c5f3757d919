namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Endpoints that are out of the ordinary: without a node, and at ports that differ from slice to slice.</summary>
public sealed class EndpointKindTests : IAsyncLifetime
{
    private const string Address = "10.96.6.1";
    private const string To = Address + ":80";
    private ProxyNet net = null!;

    public async Task InitializeAsync()
    {
        net = await ProxyNet.RaiseAsync();
        await net.ServiceAsync("other", "10.96.6.200", "172.17.0.3@edge1");
        await net.StartProxyAsync();
    }

    public async Task DisposeAsync() => await net.DisposeAsync();

    [Fact]
    public async Task AnEndpointWithoutANodeIsDialledByThisNodesKernel()
    {
        await WriteNamelessAsync("10.99.0.2");

        // The endpoint is outside the cluster's nodes: it sees this node, or its reply would pass this node's conntrack by.
        Assert.Equal("edge2 10.99.0.1 100", await ProxyNet.RunAsync(net.Pod1, "upload", To, "100"));
        Assert.Equal("edge2 10.99.0.1 100", await ProxyNet.RunAsync(net.Node, "upload", To, "100"));
        Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", To, "100"));
    }

    [Fact]
    public async Task AnEndpointWithoutANodeAndWithoutARouteIsLeftOut()
    {
        await WriteNamelessAsync("10.99.0.2", "192.0.2.1");

        Assert.Equal([new("edge2", 40)], await ProxyNet.CountAsync(net.Pod1, "spread", To, "40"));
    }

    [Fact]
    public async Task AServiceOfWhichNothingIsInReachIsLeftToOthers()
    {
        await WriteNamelessAsync("10.99.0.2");
        await WriteNamelessAsync("192.0.2.1");

        Assert.DoesNotContain(Address, await net.NftAsync("list table ip edgemesh"), StringComparison.Ordinal);
        Assert.DoesNotContain(Address, await ProxyNet.OutputAsync($"ip -n {net.Node} route show table 20006"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANamedTargetPortMayBeAnotherOneInEachSlice()
    {
        await net.ServeAsync(net.Pod2, "pod2b", 9091);
        await net.ServeAsync(net.Peer2, "edge2b", 9092);
        await net.ServiceAsync("a", Address, "172.17.0.3@edge1:9091", "172.17.0.3@edge2:9092", "172.17.0.3@edge3:8080");

        Assert.Equal(["edge2b", "edge3", "pod2b"], (await ProxyNet.CountAsync(net.Pod1, "spread", To, "60")).Keys.Order());
        Assert.Equal(["edge2b", "edge3", "pod2b"], (await ProxyNet.CountAsync(net.Pod1, "udp-spread", To, "60")).Keys.Order());
    }

    private Task WriteNamelessAsync(params string[] addresses) => net.ApplyAsync("a", $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: a}
        spec:
          clusterIP: {{Address}}
          ports: [{name: t, port: 80, protocol: TCP}, {name: u, port: 80, protocol: UDP}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: a-1, labels: {kubernetes.io/service-name: a} }
        addressType: IPv4
        ports: [{name: t, port: 8080, protocol: TCP}, {name: u, port: 8080, protocol: UDP}]
        endpoints:
        {{string.Concat(addresses.Select(a => $"- {{addresses: [{a}]}}\n"))}}
        """);
}
