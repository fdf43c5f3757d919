namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>One park with a Service of each kind that is reached from outside.</summary>
public sealed class FrontNet : IAsyncLifetime
{
    internal const string Pod1At = "172.17.0.2@edge1";
    internal const string Pod2At = "172.17.0.3@edge1";
    internal const string Edge2At = "172.17.0.3@edge2";

    internal ProxyNet Net { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        ProxyNet net = await ProxyNet.RaiseAsync();
        Net = net;
        await net.ServeAsync(net.Node, "host", 8080);
        await net.ServiceWithAsync("mixed", "10.96.0.40", "type: NodePort\nnodePort: 30080", Pod2At, Edge2At);
        await net.ServiceWithAsync("local", "10.96.0.41", "type: NodePort\nnodePort: 30081\nexternalTrafficPolicy: Local", Pod2At, Edge2At);
        await net.ServiceWithAsync("away", "10.96.0.42", "type: NodePort\nnodePort: 30082\nexternalTrafficPolicy: Local", Edge2At);
        await net.ServiceWithAsync(
            "sticky", "10.96.0.43", "type: NodePort\nnodePort: 30083\nexternalTrafficPolicy: Local\nsessionAffinity: ClientIP", Pod1At, Pod2At);
        await net.ServiceWithAsync("external", "10.96.0.44", "externalIPs: [198.51.100.1, 10.99.0.1]", Pod2At, Edge2At);
        await net.ServiceWithAsync(
            "balanced", "10.96.0.45",
            "type: LoadBalancer\nnodePort: 30085\nloadBalancerSourceRanges: [10.99.0.2/32, 192.168.0.0/16]\ningress: 203.0.113.1", Pod2At);
        await net.ServiceWithAsync(
            "checked", "10.96.0.46",
            "type: LoadBalancer\nnodePort: 30086\nexternalTrafficPolicy: Local\nhealthCheckNodePort: 32086\ningress: 203.0.113.2", Pod1At, Edge2At);
        await net.ServiceWithAsync("own", "10.96.0.47", "type: NodePort\nnodePort: 30087", Pod1At);
        await net.ServiceWithAsync("empty", "10.96.0.48", "type: NodePort\nnodePort: 30088");
        await net.ServiceWithAsync(
            "gone", "10.96.0.49",
            "type: LoadBalancer\nnodePort: 30089\nloadBalancerSourceRanges: [10.99.0.0/24]\nexternalIPs: [198.51.100.9]\ningress: 203.0.113.9", Pod2At);
        await net.StartProxyAsync();
    }

    public async Task DisposeAsync() => await Net.DisposeAsync();
}
