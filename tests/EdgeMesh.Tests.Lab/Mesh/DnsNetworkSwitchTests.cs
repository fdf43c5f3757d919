using System.Diagnostics;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>A node whose uplink dies and whose system moves it to another one, with that network's own name server: what a 5G switch is.</summary>
public sealed class DnsNetworkSwitchTests
{
    [Fact]
    public async Task TheNewNetworksServerIsAsked()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, ParkFixture.Binary);
        Host node = park.Edge1.Host;
        string resolvConf = $"/etc/netns/{node.Namespace}/resolv.conf";
        Directory.CreateDirectory(Path.GetDirectoryName(resolvConf)!);
        await File.WriteAllTextAsync(resolvConf, "nameserver 203.0.113.10\n", stop);
        await DnsOutageTests.StartUnboundAsync(park.Cloud.Host, "203.0.113.10", stop);
        await DnsOutageTests.StartUnboundAsync(park.NatB.Host, "10.0.2.1", stop);
        await mesh.StartServerAsync(stop);
        await mesh.StartAgentAsync(park.Edge1, stop);
        await mesh.ReadyAsync(park.Edge1, stop);
        Task<string> DigAsync(string name) => DnsOutageTests.DigAsync(park.Edge1.Pods[1].Host, "169.254.96.16", name, stop);
        await ParkMesh.UntilAsync("the first network's server answers", async () => await DigAsync("www.example.test") == "NOERROR 198.51.100.7", stop);

        // The link of the node itself stays up, as it does when the network dies behind a modem.
        await park.NatA.LinkAsync(up: false, stop);
        await ParkMesh.UntilAsync("the outage has been found out", async () => await DigAsync("new.example.test") == "SERVFAIL", stop);
        Assert.Equal($"NOERROR {ParkServices.Video.ClusterIP}", await DigAsync("video.default.svc.cluster.local"));
        Assert.Equal("NOERROR 198.51.100.7", await DigAsync("www.example.test"));

        // As a DHCP client does it.
        await park.Lab.PlugAsync(node, "eth1", park.NatB.Lan, "10.0.2.31/24", null, stop);
        await node.MustAsync(stop, "ip", "route", "replace", "default", "via", "10.0.2.1", "dev", "eth1");
        await File.WriteAllTextAsync(resolvConf, "nameserver 10.0.2.1\n", stop);
        long moved = Stopwatch.GetTimestamp();
        await ParkMesh.UntilAsync("the second network's server is asked", async () => await DigAsync("new.example.test") == "NOERROR 198.51.100.8", stop);

        Console.WriteLine($"asked after {Stopwatch.GetElapsedTime(moved).TotalMilliseconds:F0} ms, dig included");
        Assert.Equal($"NOERROR {ParkServices.Video.ClusterIP}", await DigAsync("video.default.svc.cluster.local"));
    }
}
