using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>The network is taken apart under load: nothing may fail, be corrupted or be delivered twice.</summary>
[Collection(nameof(ParkCollection))]
public class LiveSwitchTests(ParkFixture fixture)
{
    [Fact]
    public async Task NoRequestFailsAndNoDownloadBreaksAcrossTheSwitches()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(6));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        Pod client = park.Edge3.Pods[0];
        string parking = ParkServices.Parking.ClusterIP;
        // 20 clients with a pause of 100 ms: 10,000 requests last as long as the switches take.
        Task<string> requests = client.Host.MustAsync(
            stop, ParkFixture.Tool, "many-requests", $"{parking}:{ParkServices.HttpPort}", "parking", "/", "20", "10000", "100");
        Task<string[]> downloads = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => client.Host.MustAsync(
            stop, "bash", "-c", $"set -o pipefail; curl -sS -m 200 --limit-rate 2M http://{parking}/big | sha256sum")));

        foreach (PathSwitch change in PathSwitch.All(park, fixture.Mesh, stop))
        {
            Console.WriteLine($"{DateTime.Now:HH:mm:ss.fff} {change.What}");
            (double? seconds, string seen) = await change.PlayAsync(park, TimeSpan.FromSeconds(40), stop);
            Assert.True(seconds is not null, $"{change.What}: expected {change.ExpectedPath}, the links say {seen}\n{Logs()}");
        }

        RequestOutcome outcome = JsonSerializer.Deserialize<RequestOutcome>(await requests)!;
        Assert.True(outcome.Failed == 0, Logs());
        Assert.Equal((10_000, 0, ""), (outcome.Sent, outcome.Failed, outcome.FirstFailure));
        Assert.All(await downloads, hash => Assert.StartsWith(park.BigFileHash, hash, StringComparison.Ordinal));
    }

    [Fact]
    public async Task NoStreamBreaksAndEveryByteIsRightWhateverHappens()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(4));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        Random random = new(20261123);
        LabProcess streams = park.Edge3.Pods[0].Host.Start(
            "steady", [ParkFixture.Tool, "steady", $"{ParkServices.Parking.ClusterIP}:{ParkServices.TcpEchoPort}", "50"]);
        Mishap[] mishaps = [.. Mishap.All(park, fixture.Mesh, stop)];
        random.Shuffle(mishaps);
        foreach (Mishap mishap in mishaps)
        {
            Console.WriteLine($"{DateTime.Now:HH:mm:ss.fff} {mishap.What}");
            await mishap.PlayAsync(stop);
            await Task.Delay(random.Next(500, 2500), stop);
        }

        // Back to the address the others know.
        while (!(await park.Edge3.Host.MustAsync(stop, "ip", "addr", "show", "dev", "eth0")).Contains("10.0.2.13/", StringComparison.Ordinal))
        {
            await mishaps.Single(m => m.What.StartsWith("edge3", StringComparison.Ordinal)).PlayAsync(stop);
        }

        await Task.Delay(1000, stop);
        streams.CloseInput();
        await streams.ExitAsync(stop);
        SteadyOutcome outcome = JsonSerializer.Deserialize<SteadyOutcome>(streams.Log().Split('\n').Last(line => line.StartsWith('{')))!;
        Console.WriteLine(outcome);
        Assert.Equal((50, 0, 0, ""), (outcome.Streams, outcome.Broken, outcome.Wrong, outcome.FirstFault));
    }

    /// <summary>A tunnel is put into the way, behind a firewall that drops ICMP: long datagrams vanish without a word, under a download.</summary>
    [Fact]
    public async Task APathThatSwallowsLongDatagramsIsUsedWithShorterOnes()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        Pod client = park.Edge1.Pods[0];
        await ParkMesh.UntilAsync("edge3 is direct with full datagrams", async () =>
        {
            await client.Host.MustAsync(stop, "curl", "-sf", "-m", "10", "-o", "/dev/null", $"http://{ParkServices.Display.ClusterIP}/");
            return await fixture.Mesh.PeerPathAsync(park.Edge3, "edge1", stop) == "direct" && await MtuAsync() == 1472;
        }, stop);
        Task<string> download = client.Host.MustAsync(
            stop, "bash", "-c", $"set -o pipefail; curl -sS -m 60 --limit-rate 8M http://{ParkServices.Display.ClusterIP}/big | sha256sum");
        try
        {
            await ParkMesh.UntilAsync("the download runs", async () => (await park.NatB.Host.BytesAsync("wan0", stop)).Out > 10_000_000, stop);
            await park.NatB.SwallowLongerThanAsync(1350, stop);
            await ParkMesh.UntilAsync("edge3 sends what fits", async () => await MtuAsync() == 1280, stop);
            Assert.StartsWith(park.BigFileHash, await download, StringComparison.Ordinal);
            Assert.Equal("direct", await fixture.Mesh.PeerPathAsync(park.Edge3, "edge1", stop));
            using JsonDocument check = await fixture.Mesh.AskAsync(park.Edge3, stop, "netcheck");
            Assert.Contains(check.RootElement.GetProperty("advice").EnumerateArray(), advice => advice.GetString()!.Contains("1280 bytes", StringComparison.Ordinal));
        }
        finally
        {
            await park.NatB.SwallowLongerThanAsync(1500, CancellationToken.None);
        }

        async Task<int> MtuAsync()
        {
            using JsonDocument peers = await fixture.Mesh.AskAsync(park.Edge3, stop, "peers");
            return peers.RootElement.GetProperty("peers").EnumerateArray().Single(peer => peer.GetProperty("node").GetString() == "edge1").GetProperty("mtu").GetInt32();
        }
    }

    /// <summary>The node gets a second uplink and its system moves the default route there; every address stays. The old uplink is dead.</summary>
    [Fact]
    public async Task AnotherDefaultRouteIsTakenUpAtOnce()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        Host node = park.Edge3.Host;
        await park.Lab.PlugAsync(node, "eth1", park.NatA.Lan, "10.0.1.33/24", null, stop);
        LabProcess streams = park.Edge3.Pods[0].Host.Start(
            "steady", [ParkFixture.Tool, "steady", $"{ParkServices.Face.ClusterIP}:{ParkServices.TcpEchoPort}", "5"]);
        try
        {
            await ParkMesh.UntilAsync("the cloud is reached directly", async () =>
                await fixture.Mesh.PeerPathAsync(park.Edge3, "cloud", stop) == "direct", stop);
            await park.NatB.LinkAsync(up: false, stop);
            await node.MustAsync(stop, "ip", "route", "replace", "default", "via", "10.0.1.1", "dev", "eth1");
            await ParkMesh.UntilAsync("the server sees the node at the other site", async () =>
            {
                using JsonDocument check = await fixture.Mesh.AskAsync(park.Edge3, stop, "netcheck");
                return check.RootElement.GetProperty("servers")[0].GetProperty("observedAddress").GetString()?.StartsWith("198.51.100.21:", StringComparison.Ordinal) == true;
            }, stop);
            await ParkMesh.UntilAsync("the cloud is reached directly again", async () =>
                await fixture.Mesh.PeerPathAsync(park.Edge3, "cloud", stop) == "direct", stop);
        }
        finally
        {
            await park.NatB.LinkAsync(up: true, CancellationToken.None);
            await node.MustAsync(CancellationToken.None, "ip", "route", "replace", "default", "via", "10.0.2.1", "dev", "eth0");
            await node.MustAsync(CancellationToken.None, "ip", "link", "delete", "eth1");
        }

        streams.CloseInput();
        await streams.ExitAsync(stop);
        SteadyOutcome outcome = JsonSerializer.Deserialize<SteadyOutcome>(streams.Log().Split('\n').Last(line => line.StartsWith('{')))!;
        Console.WriteLine(outcome);
        Assert.Equal((5, 0, 0, ""), (outcome.Streams, outcome.Broken, outcome.Wrong, outcome.FirstFault));
    }

    /// <summary>The NAT still has the mappings of the old address, so the port of the new one is taken: it looks like a hard NAT.</summary>
    [Fact]
    public async Task AMovedNodeIsDirectAgain()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        Mishap move = Mishap.All(park, fixture.Mesh, stop).Single(m => m.What.StartsWith("edge3", StringComparison.Ordinal));
        Task TalkAsync() => park.Edge3.Pods[0].Host.MustAsync(
            stop, "curl", "-sf", "-m", "10", "-o", "/dev/null", $"http://{ParkServices.Parking.ClusterIP}/");

        // Once around: at the end it has the address that the others know.
        do
        {
            await move.PlayAsync(stop);
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            string path = "";
            while (path != "direct")
            {
                await TalkAsync();
                path = await fixture.Mesh.PeerPathAsync(park.Edge3, "edge1", stop);
                Assert.False(patience.IsCancellationRequested, $"still {path}\n{Logs()}");
                await Task.Delay(100, stop);
            }
        }
        while (!(await park.Edge3.Host.MustAsync(stop, "ip", "addr", "show", "dev", "eth0")).Contains("10.0.2.13/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DeliversNothingTwiceWhenTheFarAgentDiesBetweenDeliveryAndStatus()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        // Two endpoints: a retry would find the other one.
        List<LabProcess> ledgers = [];
        foreach (Node node in (Node[])[park.Edge1, park.Edge2])
        {
            ledgers.Add(node.Pods[0].Host.Start("ledger", [ParkFixture.Tool, "ledger", "0.0.0.0:7009"]));
        }

        ParkService ledger = new("ledger", "10.96.0.19", ("edge1", "172.17.0.2"), ("edge2", "172.17.0.2"));
        foreach (Node node in park.Nodes)
        {
            string yaml = ParkServices.Yaml(ledger).Replace($"port: {ParkServices.TcpEchoPort}", "port: 7009", StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(fixture.Mesh.ManifestsOf(node.Name), "ledger.yaml"), yaml, stop);
        }

        Pod client = park.Edge3.Pods[1];
        await ParkMesh.UntilAsync("the ledger answers", async () =>
            (await client.Host.RunAsync(stop, ParkFixture.Tool, "give", "10.96.0.19:7009", "warm-up")).Output.Trim() == "ok", stop);

        // Nothing leaves edge1's agent any more: it still gets the header and the line, and dials; its status never comes back.
        await park.Edge1.Host.NftAsync("table ip mute { chain output { type filter hook output priority 300; oifname \"eth0\" drop; }\n}", stop);
        Task<string>[] given = [.. Enumerable.Range(0, 20).Select(i => client.Host.MustAsync(
            stop, ParkFixture.Tool, "give", "10.96.0.19:7009", $"line-{i}"))];
        await ParkMesh.UntilAsync("a line is delivered at edge1", () => Task.FromResult(ledgers[0].Log().Contains("line-", StringComparison.Ordinal)), stop);
        LabProcess agent = fixture.Mesh.Agents["edge1"];
        agent.Signal("KILL");
        await agent.ExitAsync(stop);
        await park.Edge1.Host.NftAsync("delete table ip mute", stop);
        string[] answers = await Task.WhenAll(given);

        string[] delivered = [.. ledgers.SelectMany(process => process.Log().Split('\n')).Where(line => line.StartsWith("line-", StringComparison.Ordinal))];
        Assert.Equal(delivered.Distinct().Order(), delivered.Order());
        // Who was told "ok" was delivered; who was delivered but not told was reset, not retried.
        Assert.Contains("ok\n", answers);
        await fixture.Mesh.StartAgentAsync(park.Edge1, stop);
        await fixture.Mesh.ReadyAsync(park.Edge1, stop);
    }

    /// <summary>The last that the two agents of the switches said.</summary>
    private string Logs() => string.Join('\n', ((string[])["edge1", "edge3"]).Select(
        node => $"== {node}\n{string.Join('\n', fixture.Mesh.Agents[node].Log().Split('\n').TakeLast(80))}"));
}
