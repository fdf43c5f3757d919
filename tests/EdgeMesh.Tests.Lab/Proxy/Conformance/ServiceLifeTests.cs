namespace EdgeMesh.Tests.Lab.Proxy.Conformance;

/// <summary>What becomes of a Service's clients as the Service changes: cases of Kubernetes' test/e2e/network/service.go.</summary>
public sealed class ServiceLifeTests : IAsyncLifetime
{
    private const string Pod2At = "172.17.0.3@edge1";
    private const string Edge2At = "172.17.0.3@edge2";
    private const string Edge3At = "172.17.0.3@edge3";
    private const string Address = "10.96.2.1";
    private const string Port = Address + ":80";

    private ProxyNet net = null!;

    public async Task InitializeAsync()
    {
        net = await ProxyNet.RaiseAsync();
        await net.ServiceAsync("other", "10.96.2.200", Pod2At);
        await net.StartProxyAsync();
    }

    public async Task DisposeAsync() => await net.DisposeAsync();

    [Fact]
    public async Task ServicesGoUpAndDownAndComeBack()
    {
        await net.ServiceAsync("a", Address, Pod2At, Edge2At);
        await net.ServiceAsync("b", "10.96.2.2", Edge3At);
        Assert.Equal(["edge2", "pod2"], await AnswersAsync());
        Remove("a");
        await BecomesAsync("", Port);
        Assert.Equal("edge3", await ConnectAsync("10.96.2.2:80"));
        await net.ServiceAsync("a", Address, Edge3At);
        Assert.Equal(["edge3"], await AnswersAsync());
    }

    [Fact]
    public async Task ARecreatedServiceMayHaveAnotherAddress()
    {
        await net.ServiceAsync("a", Address, Pod2At);
        await net.ServiceAsync("a", "10.96.2.3", Edge2At);
        Assert.Equal("edge2", await ConnectAsync("10.96.2.3:80"));
        await BecomesAsync("", Port);
    }

    [Fact]
    public async Task PortsAreAddedAndTakenAway()
    {
        await WriteAsync("[{name: t, port: 80, protocol: TCP}]");
        Assert.Equal("pod2", await ConnectAsync(Port));
        await BecomesAsync("refused", Address + ":81");
        await WriteAsync("[{name: t, port: 80, protocol: TCP}, {name: more, port: 81, protocol: TCP}]");
        Assert.Equal(("pod2", "edge2"), (await ConnectAsync(Port), await ConnectAsync(Address + ":81")));
        await WriteAsync("[{name: more, port: 81, protocol: TCP}]");
        await BecomesAsync("refused", Port);
        Assert.Equal("edge2", await ConnectAsync(Address + ":81"));
    }

    [Fact]
    public async Task OnePortMayServeBothProtocolsOrOne()
    {
        await WriteAsync("[{name: t, port: 80, protocol: TCP}]");
        Assert.Equal("refused", await ProxyNet.RunAsync(net.Pod1, "udp", Port, "10"));
        await WriteAsync("[{name: t, port: 80, protocol: TCP}, {name: u, port: 80, protocol: UDP}]");
        Assert.Equal(["edge3"], (await ProxyNet.CountAsync(net.Pod1, "udp-spread", Port, "5")).Keys);
        Assert.Equal("pod2", await ConnectAsync(Port));
        await WriteAsync("[{name: u, port: 80, protocol: UDP}]");
        await BecomesAsync("refused", Port);
        Assert.Equal(["edge3"], (await ProxyNet.CountAsync(net.Pod1, "udp-spread", Port, "5")).Keys);
    }

    [Fact]
    public async Task TheTypeMayChange()
    {
        const string NodePort = "10.99.0.1:30090";
        await net.ServiceWithAsync("a", Address, "type: ExternalName\nexternalName: park.example", Pod2At);
        await BecomesAsync("", Port);
        await net.ServiceAsync("a", Address, Pod2At);
        Assert.Equal("pod2", await ConnectAsync(Port));
        await net.ServiceWithAsync("a", Address, "type: NodePort\nnodePort: 30090", Pod2At);
        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Peer2, "connect", NodePort));
        await net.ServiceWithAsync("a", Address, "type: ExternalName\nexternalName: park.example", Pod2At);
        await BecomesAsync("", Port);
        Assert.Equal("refused", await ProxyNet.RunAsync(net.Peer2, "connect", NodePort));
        await net.ServiceWithAsync("a", Address, "type: NodePort\nnodePort: 30090", Edge2At);
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Peer2, "connect", NodePort));
    }

    [Theory]
    [InlineData("pod", Port)]
    [InlineData("outside", "10.99.0.1:30091")]
    public async Task AffinityKeepsTheEndpointAndCanBeSwitched(string from, string to)
    {
        string space = from == "pod" ? net.Pod1 : net.Peer2;
        const string Type = "type: NodePort\nnodePort: 30091\n";
        await net.ServiceWithAsync("a", Address, Type + "sessionAffinity: ClientIP", Pod2At, Edge2At, Edge3At);
        Assert.Single(await ProxyNet.CountAsync(space, "spread", to, "40"));
        await net.ServiceWithAsync("a", Address, Type + "sessionAffinity: None", Pod2At, Edge2At, Edge3At);
        Assert.Equal(3, (await ProxyNet.CountAsync(space, "spread", to, "60")).Count);
        await net.ServiceWithAsync("a", Address, Type + "sessionAffinity: ClientIP", Pod2At, Edge2At, Edge3At);
        Assert.Single(await ProxyNet.CountAsync(space, "spread", to, "40"));
    }

    [Theory]
    [InlineData("spread")]
    [InlineData("udp-spread")]
    public async Task AffinityGoesWithItsEndpointAndDoesNotMindOthers(string verb)
    {
        const string Spec = "sessionAffinity: ClientIP";
        string[] all = [Pod2At, Edge2At, Edge3At];
        await net.ServiceWithAsync("a", Address, Spec, all);
        string first = Assert.Single(await ProxyNet.CountAsync(net.Pod1, verb, Port, "20")).Key;
        string[] others = [.. all.Where(e => e != (first == "pod2" ? Pod2At : $"172.17.0.3@{first}"))];

        await net.ServiceWithAsync("a", Address, Spec, others);
        string second = Assert.Single(await ProxyNet.CountAsync(net.Pod1, verb, Port, "20")).Key;
        Assert.NotEqual(first, second);

        // Kernel's arm or agent's: it stays with the client.
        await net.ServiceWithAsync("a", Address, Spec, all);
        Assert.Equal(second, Assert.Single(await ProxyNet.CountAsync(net.Pod1, verb, Port, "20")).Key);
    }

    [Theory]
    [InlineData("pod", Port)]
    [InlineData("outside", "10.99.0.1:30092")]
    public async Task AffinityEndsWithItsTimeout(string from, string to)
    {
        await net.ServiceWithAsync(
            "a", Address, "type: NodePort\nnodePort: 30092\nsessionAffinity: ClientIP\nsessionAffinityConfig: {clientIP: {timeoutSeconds: 1}}",
            Pod2At, Edge2At, Edge3At);
        HashSet<string> seen = [];
        for (int i = 0; i < 30 && seen.Count < 2; i++)
        {
            seen.Add(await ProxyNet.RunAsync(from == "pod" ? net.Pod1 : net.Peer2, "connect", to));
            await Task.Delay(1100);
        }

        Assert.True(seen.Count > 1, $"always {string.Join(' ', seen)}");
    }

    [Theory]
    [InlineData("service.kubernetes.io/service-proxy-name: other")]
    [InlineData("service.kubernetes.io/headless: \"\"")]
    public async Task TheLabelsOfOtherProxiesAreToggled(string label)
    {
        const string Ports = "[{name: t, port: 80, protocol: TCP}]";
        await WriteAsync(Ports);
        Assert.Equal("pod2", await ConnectAsync(Port));
        await WriteAsync(Ports, label);
        await BecomesAsync("", Port);
        await WriteAsync(Ports);
        Assert.Equal("pod2", await ConnectAsync(Port));
    }

    [Theory]
    [InlineData("true", "edge2 pod2")]
    [InlineData("false", "refused")]
    public async Task UnreadyEndpointsAreForThoseWhoPublishThem(string publish, string expected)
    {
        // With the field the control plane says "ready" of every endpoint.
        string conditions = $"conditions: {{ready: {publish}}}";
        await net.ServiceWithAsync("a", Address, $"publishNotReadyAddresses: {publish}", $"{Pod2At} {conditions}", $"{Edge2At} {conditions}");
        Assert.Equal(expected.Split(' '), await AnswersAsync());
    }

    [Fact]
    public async Task AnEvictedPodLeavesARefusal()
    {
        await net.ServiceAsync("a", Address, Pod2At);
        Assert.Equal("pod2", await ConnectAsync(Port));
        await net.ServiceAsync("a", Address);
        await BecomesAsync("refused", Port);
    }

    [Fact]
    public async Task AHostNetworkEndpointServesPodsAndTheHost()
    {
        await net.ServeAsync(net.Node, "host", 8081);
        await net.ServiceWithAsync("a", Address, "internalTrafficPolicy: Local", "10.99.0.1@edge1:8081", "10.99.0.2@edge2:8080");
        Assert.Equal(("host", "host"), (await ConnectAsync(Port), await ProxyNet.RunAsync(net.Node, "connect", Port)));
    }

    [Fact]
    public async Task ARestartedProxyServesOn()
    {
        await net.ServiceAsync("a", Address, Pod2At, Edge2At);
        await net.KillProxyAsync();
        await net.StartProxyAsync();
        Assert.Equal(["edge2", "pod2"], await AnswersAsync());
    }

    private Task<string> ConnectAsync(string to) => ProxyNet.RunAsync(net.Pod1, "connect", to);

    private async Task<IEnumerable<string>> AnswersAsync() => (await ProxyNet.CountAsync(net.Pod1, "spread", Port, "40")).Keys.Order(StringComparer.Ordinal);

    private void Remove(string name) => File.Delete(Path.Combine(net.Manifests, $"{name}.yaml"));

    /// <summary>TCP to pod2 by the name "t" and to edge2 by "more", UDP to edge3 by "u".</summary>
    private Task WriteAsync(string ports, string label = "") => net.ApplyAsync("a", $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: a, labels: { {{label}} } }
        spec:
          clusterIP: {{Address}}
          clusterIPs: [{{Address}}]
          ports: {{ports}}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: a-1, labels: {kubernetes.io/service-name: a} }
        addressType: IPv4
        ports: [{name: t, port: 8080, protocol: TCP}]
        endpoints: [{addresses: [172.17.0.3], nodeName: edge1}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: a-2, labels: {kubernetes.io/service-name: a} }
        addressType: IPv4
        ports: [{name: more, port: 8080, protocol: TCP}]
        endpoints: [{addresses: [172.17.0.3], nodeName: edge2}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: a-3, labels: {kubernetes.io/service-name: a} }
        addressType: IPv4
        ports: [{name: u, port: 8080, protocol: UDP}]
        endpoints: [{addresses: [172.17.0.3], nodeName: edge3}]

        """);

    /// <param name="answer">Empty: the address is the Service's no more, whatever that gives.</param>
    /// <param name="to">Address and port.</param>
    private async Task BecomesAsync(string answer, string to) => await ProxyNet.UntilAsync(
        async () => answer.Length == 0
            ? !(await net.NftAsync("list map ip edgemesh services")).Contains(to.Split(':')[0] + " ", StringComparison.Ordinal)
            : await ConnectAsync(to) == answer,
        TimeSpan.FromSeconds(5), $"{to}: {(answer.Length == 0 ? "no Service" : answer)}");
}
