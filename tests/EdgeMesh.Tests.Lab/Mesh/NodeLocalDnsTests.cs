using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>
/// Beside NodeLocal DNSCache, which on its node takes the address of the cluster's DNS Service for itself: a dummy device with that address
/// and its own, and rules that keep both out of connection tracking, so that no DNAT sees them. Here its part is played by unbound.
/// </summary>
public sealed class NodeLocalDnsTests
{
    private const string Own = "169.254.20.10";
    private const string ClusterDns = "10.96.0.10";

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task PodsOfItsNodeResolveAllNames(string serveClusterDns)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, ParkFixture.Binary);
        Host node = park.Edge1.Host;

        // Its device is of type dummy, which a lab's kernel may lack; a bridge without ports holds addresses as well.
        await node.MustAsync(stop, "sh", "-ec", $"ip link add nodelocaldns type bridge; ip addr add {Own}/32 dev nodelocaldns; ip addr add {ClusterDns}/32 dev nodelocaldns; ip link set nodelocaldns up");
        await node.NftAsync($$"""
            table ip nodelocal {
              chain in { type filter hook prerouting priority -300; ip daddr { {{Own}}, {{ClusterDns}} } th dport 53 notrack; }
              chain out { type filter hook output priority -300; ip daddr { {{Own}}, {{ClusterDns}} } th dport 53 notrack; ip saddr { {{Own}}, {{ClusterDns}} } th sport 53 notrack; }
            }
            """, stop);
        // What the operator adds to its configuration, for the mesh's short names; and the cluster's names, in place of CoreDNS.
        await DnsOutageTests.StartUnboundAsync(node, Own, stop, $"""
              interface: {ClusterDns}
            forward-zone:
              name: "cluster.local.service."
              forward-addr: 169.254.96.16
            forward-zone:
              name: "cluster.local."
              forward-addr: 169.254.96.16
            """);
        await mesh.StartServerAsync(stop);
        await park.WriteManifestsAsync(mesh.ManifestsOf("edge1"), stop);
        await File.WriteAllTextAsync(Path.Combine(mesh.ManifestsOf("edge1"), "kube-dns.yaml"), ScenarioTests.KubeDns, stop);
        await mesh.StartAgentAsync(park.Edge1, stop, "--dns.serveClusterDns", serveClusterDns);
        await mesh.ReadyAsync(park.Edge1, stop);

        Host pod = park.Edge1.Pods[1].Host;
        foreach (string server in (string[])[ClusterDns, Own, "169.254.96.16"])
        {
            foreach (string name in (string[])["video.default.svc.cluster.local", "video.cluster.local.service"])
            {
                Assert.Equal((server, name, $"NOERROR {ParkServices.Video.ClusterIP}"), (server, name, await DnsOutageTests.DigAsync(pod, server, name, stop)));
            }
        }

        // Only NodeLocal DNSCache knows this name: the address is still its own.
        Assert.Equal("NOERROR 198.51.100.7", await DnsOutageTests.DigAsync(pod, ClusterDns, "www.example.test", stop));
    }
}
