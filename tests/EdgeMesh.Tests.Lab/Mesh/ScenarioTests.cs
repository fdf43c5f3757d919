using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>The announcement's scenarios, with real clients in pods, TCP and UDP, both name forms.</summary>
[Collection(nameof(ParkCollection))]
public class ScenarioTests(ParkFixture fixture)
{
    /// <summary>The cluster's DNS Service as kubeadm makes it; its pod is nowhere.</summary>
    internal const string KubeDns = """
        apiVersion: v1
        kind: Service
        metadata: { name: kube-dns, namespace: kube-system }
        spec:
          clusterIP: 10.96.0.10
          clusterIPs: [10.96.0.10]
          ports:
          - { name: dns, port: 53, protocol: UDP }
          - { name: dns-tcp, port: 53, protocol: TCP }
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: kube-dns-1
          namespace: kube-system
          labels: { kubernetes.io/service-name: kube-dns }
        addressType: IPv4
        ports:
        - { name: dns, port: 53, protocol: UDP }
        - { name: dns-tcp, port: 53, protocol: TCP }
        endpoints:
        - { addresses: [172.17.0.99], nodeName: cloud }
        """;

    public static TheoryData<string, string> Calls => new()
    {
        { "edge1", "video" },
        { "edge2", "video" },
        { "edge3", "parking" },
        { "edge3", "face" },
        { "cloud", "display" },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task AnswersByName(string from, string service)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        (Pod client, ParkService called) = Find(from, service);
        foreach (string name in (string[])[service, $"{service}.default.svc.cluster.local", $"{service}.cluster.local.service"])
        {
            string answer = await client.Host.MustAsync(limit.Token, "curl", "-sS", "-m", "10", $"http://{name}/");
            Assert.StartsWith(called.Pods[0].Node + "/", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task EchoesDatagramsOfEverySize(string from, string service)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        (Pod client, ParkService called) = Find(from, service);
        foreach (string bytes in (string[])["16", "1200", "1473", "9000", "65000"])
        {
            string json = await client.Host.MustAsync(
                limit.Token, ParkFixture.Tool, "udp-burst", $"{called.ClusterIP}:{ParkServices.UdpEchoPort}", "20", "50", bytes);
            Assert.Equal((bytes, 20), (bytes, JsonDocument.Parse(json).RootElement.GetProperty("Received").GetInt32()));
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task DownloadsWhole(string from, string service)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        (Pod client, _) = Find(from, service);
        string hash = await client.Host.MustAsync(limit.Token, "bash", "-c", $"set -o pipefail; curl -sS -m 50 http://{service}/big | sha256sum");
        Assert.StartsWith(fixture.Park.BigFileHash, hash, StringComparison.Ordinal);
    }

    /// <summary>A pod whose resolv.conf still names the cluster's DNS Service; its CoreDNS does not exist at all.</summary>
    [Fact]
    public async Task TheClustersDnsServiceIsAnsweredOnTheNode()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string file = Path.Combine(fixture.Mesh.ManifestsOf("edge1"), "kube-dns.yaml");
        await File.WriteAllTextAsync(file, KubeDns, limit.Token);
        try
        {
            Pod client = fixture.Park.Edge1.Pods[1];
            foreach (string transport in (string[])["+notcp", "+tcp"])
            {
                await ParkMesh.UntilAsync("the Service of the cluster's DNS answers", async () =>
                    (await client.Host.RunAsync(limit.Token, "dig", "@10.96.0.10", "+short", "+time=1", "+tries=1", transport, "video.default.svc.cluster.local")).Output.Trim()
                    == ParkServices.Video.ClusterIP, limit.Token);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task NetcheckKnowsTheNat()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        using JsonDocument behindNat = await fixture.Mesh.AskAsync(fixture.Park.Edge3, limit.Token, "netcheck");
        using JsonDocument open = await fixture.Mesh.AskAsync(fixture.Park.Cloud, limit.Token, "netcheck");
        Assert.Equal(
            ("endpoint-independent", "none"),
            (behindNat.RootElement.GetProperty("nat").GetString(), open.RootElement.GetProperty("nat").GetString()));
        Assert.True(behindNat.RootElement.GetProperty("udp").GetBoolean());
        JsonElement server = behindNat.RootElement.GetProperty("servers")[0];
        Assert.True(server.GetProperty("tcp")[0].GetProperty("roundTripMs").GetDouble() > 0);
        Assert.NotNull(server.GetProperty("tcp")[1].GetProperty("problem").GetString());
    }

    /// <summary>Both have port 20007 and one router: it gives the second another port, and a third node reaches either directly.</summary>
    [Fact]
    public async Task TwoAgentsWithTheSamePortBehindOneNatAreBothDirect()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        foreach (string node in (string[])["edge1", "edge2"])
        {
            using JsonDocument check = await fixture.Mesh.AskAsync(fixture.Park.Nodes.Single(n => n.Name == node), limit.Token, "netcheck");
            Assert.Equal(20007, check.RootElement.GetProperty("udpPort").GetInt32());
            await fixture.Park.Edge3.Host.MustAsync(
                limit.Token, ParkFixture.Binary, "ping", node, "--until-direct", "--state-dir", fixture.Mesh.StateOf("edge3"));
        }

        using JsonDocument peers = await fixture.Mesh.AskAsync(fixture.Park.Edge3, limit.Token, "peers");
        string[] remotes = [.. peers.RootElement.GetProperty("peers").EnumerateArray()
            .Where(peer => peer.GetProperty("node").GetString() is "edge1" or "edge2" && peer.GetProperty("path").GetString() == "direct")
            .Select(peer => peer.GetProperty("remote").GetString()!)];
        Assert.Equal(2, remotes.Distinct().Count());
        Assert.All(remotes, remote => Assert.StartsWith(fixture.Park.NatA.WanAddress + ":", remote, StringComparison.Ordinal));
    }

    [Fact]
    public async Task SpreadsOverNodesWithTheSamePodAddress()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(120));
        Pod client = fixture.Park.Edge2.Pods[1];
        string answers = await client.Host.MustAsync(limit.Token, "bash", "-c",
            $"for i in $(seq 300); do curl -sS -m 10 http://{ParkServices.Everywhere.ClusterIP}/; done | sort | uniq -c");
        string[] lines = answers.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.InRange(int.Parse(line.Trim().Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), 60, 140));
    }

    [Fact]
    public async Task ForwardsHalfCloseAcrossNats()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Pod client = fixture.Park.Edge3.Pods[1];
        // socat closes its sending side at the end of input and still waits for the answer.
        string answer = await client.Host.MustAsync(limit.Token, "bash", "-c",
            $"head -c 300000 /dev/zero | socat -t 20 - TCP:{ParkServices.Parking.ClusterIP}:{ParkServices.TcpEchoPort} | wc -c");
        Assert.Equal("300000", answer.Trim());
    }

    [Fact]
    public async Task RefusesWhatNoServiceDefines()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        Pod client = fixture.Park.Edge3.Pods[1];
        CommandResult refused = await client.Host.RunAsync(limit.Token, "curl", "-sS", "-m", "5", $"http://{ParkServices.Parking.ClusterIP}:81/");
        Assert.Equal(7, refused.ExitCode); // curl: failed to connect, not timed out
    }

    private (Pod Client, ParkService Service) Find(string from, string service) => (
        fixture.Park.Nodes.Single(node => node.Name == from).Pods[1],
        ParkServices.All.Single(known => known.Name == service));
}
