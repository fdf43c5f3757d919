using System.Diagnostics;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>An edge node whose upstream DNS server lies beyond a link that goes away.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
public sealed class DnsOutageTests : IAsyncLifetime
{
    private const string Upstream = "203.0.113.10:53";
    private readonly CancellationTokenSource limit = new(TimeSpan.FromMinutes(3));
    private ParkLab park = null!;
    private ParkMesh mesh = null!;

    private Host Client => park.Edge1.Pods[1].Host;

    public async Task InitializeAsync()
    {
        park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, limit.Token);
        mesh = new ParkMesh(park, ParkFixture.Binary);
        await StartUnboundAsync(park.Cloud.Host, "203.0.113.10", limit.Token);
        await mesh.StartServerAsync(limit.Token);
        await mesh.StartAgentAsync(park.Edge1, limit.Token, "--dns.upstream", Upstream);
        await mesh.ReadyAsync(park.Edge1, limit.Token);
        await ParkMesh.UntilAsync("the upstream answers", async () => await DigAsync("www.example.test") == "NOERROR 198.51.100.7", limit.Token);
    }

    /// <summary>An upstream server that knows two names for a second each.</summary>
    internal static async Task StartUnboundAsync(Host host, string address, CancellationToken stop, string more = "")
    {
        string file = Path.Combine(host.Lab.Directory, $"unbound-{host.Name}.conf");
        await File.WriteAllTextAsync(file, $"""
            server:
              interface: {address}
              access-control: 0.0.0.0/0 allow
              do-daemonize: no
              username: ""
              chroot: ""
              directory: "/tmp"
              pidfile: ""
              use-syslog: no
              module-config: "iterator"
              local-zone: "example.test." static
              local-data: "www.example.test. 1 IN A 198.51.100.7"
              local-data: "new.example.test. 1 IN A 198.51.100.8"
            {more}

            """, stop);
        host.Start("unbound", ["unbound", "-d", "-c", file]);
    }

    public async Task DisposeAsync()
    {
        await park.DisposeAsync();
        limit.Dispose();
    }

    [Theory]
    [InlineData("link")]
    [InlineData("upstream")]
    public async Task ClusterNamesGoOnAndTheRestRecovers(string what)
    {
        if (what == "link")
        {
            await park.NatA.LinkAsync(up: false, limit.Token);
        }
        else
        {
            await park.Cloud.Host.NftAsync("table ip cut { chain in { type filter hook input priority -10; meta l4proto { tcp, udp } th dport 53 drop; }; }", limit.Token);
        }

        // Past the lifetime of what is known; and the first silence is found out by somebody.
        await Task.Delay(1500);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal($"NOERROR {ParkServices.Video.ClusterIP}", await DigAsync("video.default.svc.cluster.local"));
            Assert.Equal("NOERROR 198.51.100.7", await DigAsync("www.example.test"));
            Assert.Equal("NXDOMAIN", await DigAsync("nothing.default.svc.cluster.local"));
        }

        // dig waits for 3 s and asks once: an answer, and be it SERVFAIL, has to come before.
        Assert.Equal("SERVFAIL", await DigAsync("new.example.test"));
        string steps = await park.Edge1.Host.MustAsync(limit.Token, "sh", "-c", $"{ParkFixture.Binary} resolve www.example.test --state-dir {mesh.StateOf("edge1")}");
        Assert.Contains("so the old answer is served", steps, StringComparison.Ordinal);
        Assert.Contains(Upstream, steps, StringComparison.Ordinal);
        string metrics = await MetricsAsync();
        Assert.Contains($"edgemesh_dns_upstream_up{{server=\"{Upstream}\"}} 0\n", metrics, StringComparison.Ordinal);
        foreach (string series in (string[])["A\",rcode=\"NOERROR\",source=\"cluster", "A\",rcode=\"NXDOMAIN\",source=\"cluster", "A\",rcode=\"NOERROR\",source=\"stale", "A\",rcode=\"SERVFAIL\",source=\"upstream"])
        {
            Assert.Matches($"edgemesh_dns_queries_total{{type=\"{series}\"}} [1-9]", metrics);
        }

        Assert.Matches("edgemesh_dns_seconds_bucket{source=\"cluster\",le=\"0.001\"} [1-9]", metrics);

        if (what == "link")
        {
            await park.NatA.LinkAsync(up: true, limit.Token);
        }
        else
        {
            await park.Cloud.Host.NftAsync("delete table ip cut", limit.Token);
        }

        long returned = Stopwatch.GetTimestamp();
        await ParkMesh.UntilAsync("the upstream is asked again", async () => await DigAsync("new.example.test") == "NOERROR 198.51.100.8", limit.Token);
        Console.WriteLine($"asked again after {Stopwatch.GetElapsedTime(returned).TotalMilliseconds:F0} ms, dig included");
        Assert.Contains($"edgemesh_dns_upstream_up{{server=\"{Upstream}\"}} 1\n", await MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AServiceMayChangeItsType()
    {
        string file = Path.Combine(mesh.ManifestsOf("edge1"), "changing.yaml");
        foreach ((string spec, string expected) in ((string, string)[])
        [
            ("{type: ExternalName, externalName: www.example.test}", "NOERROR www.example.test. 198.51.100.7"),
            ("{type: ExternalName, externalName: new.example.test}", "NOERROR new.example.test. 198.51.100.8"),
            ("{clusterIP: 10.96.0.77, ports: [{port: 80}]}", "NOERROR 10.96.0.77"),
        ])
        {
            await File.WriteAllTextAsync(file, $"apiVersion: v1\nkind: Service\nmetadata: {{name: changing}}\nspec: {spec}\n", limit.Token);
            await ParkMesh.UntilAsync(expected, async () => await DigAsync("changing.default.svc.cluster.local") == expected, limit.Token);
        }
    }

    [Fact]
    public async Task ResolveSaysHowItCameToTheAnswer()
    {
        string Ask(string name) => $"{ParkFixture.Binary} resolve {name} --state-dir {mesh.StateOf("edge1")}; true";
        string cluster = await park.Edge1.Host.MustAsync(limit.Token, "sh", "-c", Ask("video.default.svc.cluster.local"));
        Assert.Contains("cluster  video.default.svc.cluster.local. is in cluster domain cluster.local.: 1 record", cluster, StringComparison.Ordinal);
        string outside = await park.Edge1.Host.MustAsync(limit.Token, "sh", "-c", Ask("new.example.test"));
        Assert.Contains($"its servers: {Upstream} (", outside, StringComparison.Ordinal);
        Assert.Contains($"upstream {Upstream} answered in ", outside, StringComparison.Ordinal);
        string missing = await park.Edge1.Host.MustAsync(limit.Token, "sh", "-c", Ask("nothing.default.svc.cluster.local"));
        Assert.Contains("NXDOMAIN", missing, StringComparison.Ordinal);
    }

    private Task<string> MetricsAsync() => park.Edge1.Host.MustAsync(limit.Token, "curl", "-sf", "http://127.0.0.1:20008/metrics");

    private Task<string> DigAsync(string name) => DigAsync(Client, "169.254.96.16", name, limit.Token);

    /// <summary>The response code and the data of the answer's records.</summary>
    internal static async Task<string> DigAsync(Host client, string server, string name, CancellationToken stop)
    {
        string said = await client.MustAsync(stop, "dig", "@" + server, "+tries=1", "+time=3", "+noall", "+comments", "+answer", name);
        string[] lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string status = lines.FirstOrDefault(l => l.Contains("status: ", StringComparison.Ordinal)) is string line ? line.Split("status: ")[1].Split(',')[0] : "silence";
        return string.Join(' ', lines.Where(l => l[0] != ';').Select(l => l.Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries)[^1]).Prepend(status));
    }
}
