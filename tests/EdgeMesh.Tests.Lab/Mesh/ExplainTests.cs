using System.Globalization;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>Twelve Services that do not work, asked of a live agent: the first line names the cause.</summary>
[Collection(nameof(ParkCollection))]
public class ExplainTests(ParkFixture fixture)
{
    private const string Slice = "addressType: IPv4\nports: [{name: http, port: 80}]";

    /// <summary>What it is called, the Service's spec, its labels, the rest of its slice, and what the first line has to say.</summary>
    public static TheoryData<string, string, string, string, string> Broken => new()
    {
        { "wrong-port", "", "", "addressType: IPv4\nports: [{name: http, port: 81}]\nendpoints: [{addresses: [172.17.0.2], nodeName: edge3}]", "nothing listens at endpoint 172.17.0.2:81" },
        { "no-endpoints", "", "", "", "has no endpoints: no pod has its selector's labels" },
        { "not-ready", "", "", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge3, conditions: {ready: false}}]", "is ready: 172.17.0.2 (not ready)" },
        { "dead", "", "", Slice + "\nendpoints: [{addresses: [172.17.0.99], nodeName: edge3}]", "endpoint 172.17.0.99:80 does not answer" },
        { "filtered", "", "service.edgemesh.kubeedge.io/service-proxy-name: other", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge3}]", "has the label service.edgemesh.kubeedge.io/service-proxy-name" },
        { "local-only", "internalTrafficPolicy: Local", "", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge1}]", "internalTrafficPolicy: Local and no usable endpoint on this node (edge3)" },
        { "unknown-node", "", "", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge9}]", "is on node edge9, which the cluster does not know" },
        { "headless", "clusterIP: None", "", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge3}]", "is headless (clusterIP: None)" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task FirstLineNamesTheCause(string name, string spec, string labels, string slice, string cause)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        await using Written written = await WriteAsync(name, spec, labels, slice, limit.Token);
        await AssertSaysAsync(name, cause, limit.Token);
    }

    [Fact]
    public async Task AMisspeltNameIsGuessed()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        await AssertSaysAsync("viedo", "there is no Service default/viedo; did you mean default/video?", limit.Token);
    }

    [Fact]
    public async Task APeerThatIsDownIsNamed()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Node edge2 = fixture.Park.Edge2;
        await using Written written = await WriteAsync("away", "", "", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge2}]", limit.Token);
        fixture.Mesh.Agents["edge2"].Signal("TERM");
        await fixture.Mesh.Agents["edge2"].ExitAsync(limit.Token);
        try
        {
            await AssertSaysAsync("away", "node edge2, which has endpoint 172.17.0.2:80, cannot be reached", limit.Token);
        }
        finally
        {
            await fixture.Mesh.StartAgentAsync(edge2, limit.Token);
            await fixture.Mesh.ReadyAsync(edge2, limit.Token);
        }
    }

    [Fact]
    public async Task AForeignRuleInFrontIsQuoted()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Host host = fixture.Park.Edge3.Host;
        await host.NftAsync(
            $"table ip stranger {{ chain pre {{ type filter hook output priority -300; ip daddr {ParkServices.Display.ClusterIP} drop; }}\n}}", limit.Token);
        try
        {
            await AssertSaysAsync("display", "a rule that is not ours takes packets to default/display first: table ip stranger, chain pre", limit.Token);
        }
        finally
        {
            await host.NftAsync("delete table ip stranger", limit.Token);
        }
    }

    [Fact]
    public async Task AForeignForwardDropIsNamedWithWhatOpensIt()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Host host = fixture.Park.Edge3.Host;
        await using Written written = await WriteAsync(
            "fronted", "externalIPs: [198.51.100.77]", "", Slice + "\nendpoints: [{addresses: [172.17.0.2], nodeName: edge3}]", limit.Token);
        await host.NftAsync(
            "table ip stranger { chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; ip saddr 172.17.0.0/16 accept; }\n}",
            limit.Token);
        try
        {
            await AssertSaysAsync(
                "fronted", "default/fronted works from inside, but table ip stranger, chain forward (policy drop) drops clients outside", limit.Token);
            await host.NftAsync("add rule ip stranger forward ct status dnat accept", limit.Token);
            await AssertSaysAsync("fronted", "default/fronted is served on this node (edge3)", limit.Token);
        }
        finally
        {
            await host.NftAsync("delete table ip stranger", limit.Token);
        }
    }

    [Fact]
    public async Task AnotherDnsServerInTheKubeletsConfigurationIsNamed()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Host host = fixture.Park.Edge3.Host;
        string agent = fixture.Mesh.Agents["edge3"].Id.ToString(CultureInfo.InvariantCulture);

        // Only in the agent's own mount namespace.
        await host.MustAsync(
            limit.Token, "nsenter", "-t", agent, "-m", "sh", "-ec",
            "mount -t tmpfs none /var/lib; mkdir /var/lib/kubelet; echo 'clusterDNS: [10.96.0.99]' > /var/lib/kubelet/config.yaml");
        try
        {
            await AssertSaysAsync("display", "pods of this node ask another DNS server: /var/lib/kubelet/config.yaml has clusterDNS 10.96.0.99", limit.Token);
        }
        finally
        {
            await host.MustAsync(limit.Token, "nsenter", "-t", agent, "-m", "umount", "/var/lib");
        }
    }

    [Fact]
    public async Task NothingIsWrongWithWhatWorks()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        await AssertSaysAsync("parking", "default/parking is served on this node (edge3)", limit.Token);
    }

    [Fact]
    public async Task RulesAreTheKernelsAndTextForNft()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Host host = fixture.Park.Edge3.Host;
        string file = Path.Combine(fixture.Park.Lab.Directory, "rules.nft");
        await File.WriteAllTextAsync(file, (await AskAsync(limit.Token, "rules")).Output, limit.Token);
        Assert.Contains(ParkServices.Parking.ClusterIP, await File.ReadAllTextAsync(file, limit.Token), StringComparison.Ordinal);
        await host.MustAsync(limit.Token, "nft", "--check", "-f", file);

        // What the test before took away may be on its way still.
        await ParkMesh.UntilAsync("nothing would change", async () =>
            (await AskAsync(limit.Token, "rules", "--dry-run")).Output == "the kernel has these rules; nothing would change\n", limit.Token);
    }

    private async Task AssertSaysAsync(string service, string cause, CancellationToken stop)
    {
        // The manifest has to be read first.
        string said = "";
        for (int i = 0; i < 20 && !said.Contains(cause, StringComparison.Ordinal); i++)
        {
            await Task.Delay(i * 50, stop);
            said = (await AskAsync(stop, "explain", service)).Output.Split('\n')[0];
        }

        Assert.Contains(cause, said, StringComparison.Ordinal);
    }

    private Task<CommandResult> AskAsync(CancellationToken stop, params string[] verb) => fixture.Park.Edge3.Host.RunAsync(
        stop, [ParkFixture.Binary, .. verb, "--state-dir", fixture.Mesh.StateOf("edge3")]);

    private async Task<Written> WriteAsync(string name, string spec, string labels, string slice, CancellationToken stop)
    {
        string file = Path.Combine(fixture.Mesh.ManifestsOf("edge3"), "broken.yaml");
        string service = $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{name}}, labels: { {{labels}} } }
            spec:
              ports: [{name: http, port: 80}]
              {{(spec.Contains("clusterIP", StringComparison.Ordinal) ? "" : "clusterIP: 10.96.0.77")}}
              {{spec}}
            """;
        string rest = slice.Length == 0 ? "" : $$"""

            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: {{name}}-1, labels: {kubernetes.io/service-name: {{name}} } }
            {{slice}}
            """;
        await File.WriteAllTextAsync(file, service + rest, stop);
        return new Written(file);
    }

    private sealed record Written(string File) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            System.IO.File.Delete(File);
            return ValueTask.CompletedTask;
        }
    }
}
