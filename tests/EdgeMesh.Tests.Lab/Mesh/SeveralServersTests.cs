using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>Two servers: whichever relays may die or be drained and come back, and no stream notices more than a pause.</summary>
[Collection(nameof(ParkCollection))]
public sealed class SeveralServersTests(ParkFixture fixture)
{
    private const int Streams = 20;

    [Fact]
    public async Task NoRelayedStreamBreaksWhenItsServerIsKilledOrDrained()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(3));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        ServerPair servers = new(park, fixture.Mesh);
        Node[] ends = [park.Edge1, park.Edge3];
        try
        {
            await servers.JoinAsync(stop);
            await BothConnectedAsync(2);
            await park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop);
            await ParkMesh.UntilAsync("edge3 reaches edge1 by relay", async () =>
                (await park.Edge3.Pods[1].Host.RunAsync(stop, "curl", "-sf", "-m", "5", $"http://{ParkServices.Video.ClusterIP}/")).Succeeded
                && await fixture.Mesh.PeerPathAsync(park.Edge3, "edge1", stop) == "relay UDP", stop);
            LabProcess steady = park.Edge3.Pods[0].Host.Start(
                "steady", [ParkFixture.Tool, "steady", $"{ParkServices.Video.ClusterIP}:{ParkServices.TcpEchoPort}", $"{Streams}"]);
            HashSet<string> lost = [];
            for (int round = 0; round < 4; round++)
            {
                string used = await servers.RelayOfAsync(park.Edge3, "edge1", stop);
                lost.Add(used);
                await (round % 2 == 0 ? servers.KillAsync(used) : servers.DrainAsync(used, stop));
                await ParkMesh.UntilAsync($"another server than {used} relays", async () =>
                    await fixture.Mesh.PeerPathAsync(park.Edge3, "edge1", stop) == "relay UDP"
                    && await servers.RelayOfAsync(park.Edge3, "edge1", stop) != used, stop);
                await servers.StartAsync(used, stop);
                await BothConnectedAsync(2);
            }

            steady.CloseInput();
            await steady.ExitAsync(stop);
            SteadyOutcome outcome = JsonSerializer.Deserialize<SteadyOutcome>(steady.Log().Split('\n').Last(line => line.StartsWith('{')))!;
            Assert.Equal((Streams, 0, 0, ""), (outcome.Streams, outcome.Broken, outcome.Wrong, outcome.FirstFault));
            Assert.Equal(2, lost.Count);
        }
        finally
        {
            await park.NatA.UnblockUdpWithAsync(CancellationToken.None);
            await servers.PartAsync(CancellationToken.None);
            await BothConnectedAsync(1);
        }

        async Task BothConnectedAsync(int count)
        {
            foreach (Node node in ends)
            {
                await ParkMesh.UntilAsync($"{node.Name} is connected to {count} servers", () => servers.AreConnectedAsync(node, count, CancellationToken.None), CancellationToken.None);
            }
        }
    }
}
