using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>The cloud is away altogether: nodes of one subnet go on, agents that are restarted meanwhile too.</summary>
[Collection(nameof(ParkCollection))]
public sealed class WithoutServersTests(ParkFixture fixture)
{
    private const string Api = ParkLab.ServerAddress + ":8080";

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task NodesOfOneSubnetReachEachOther(string signal)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        ParkMesh mesh = fixture.Mesh;
        Node[] subnet = [park.Edge1, park.Edge2];
        LabProcess api = park.Cloud.Host.Start("kube-api", [ParkFixture.Tool, "api", Api]);
        try
        {
            string objects = $"[{string.Join(',', [.. park.Nodes.Select(ParkServices.Json), .. ParkServices.All.SelectMany(ParkServices.Json)])}]";
            await ParkMesh.UntilAsync("the API takes the objects", async () => (await park.Cloud.Host.RunAsync(
                stop, "curl", "-sf", "-m", "5", "-X", "POST", "--data-binary", objects, $"http://{Api}/control/apply")).Succeeded, stop);
            await RestartAsync(subnet, "TERM", stop, "--kube-api", $"http://{Api}");
            Assert.StartsWith("edge1/", await CallAsync(stop), StringComparison.Ordinal);
            await ParkMesh.UntilAsync("the model is on the disks", () => Task.FromResult(subnet.All(
                node => File.Exists(Path.Combine(mesh.StateOf(node.Name), "model.snapshot")))), stop);

            await mesh.KillServerAsync();
            api.Signal("KILL");
            Assert.StartsWith("edge1/", await CallAsync(stop), StringComparison.Ordinal);

            await RestartAsync(subnet, signal, stop, "--kube-api", $"http://{Api}");
            Assert.StartsWith("edge1/", await CallAsync(stop), StringComparison.Ordinal);
            Assert.Equal("LAN", await mesh.PeerPathAsync(park.Edge2, "edge1", stop));
            using JsonDocument status = await mesh.AskAsync(park.Edge2, stop, "status");
            Assert.All(status.RootElement.GetProperty("servers").EnumerateArray(), server => Assert.False(server.GetProperty("connected").GetBoolean()));
        }
        finally
        {
            api.Signal("KILL");
            if (mesh.Server!.HasExited)
            {
                await mesh.StartServerAsync(CancellationToken.None);
            }

            await RestartAsync(subnet, "TERM", CancellationToken.None);
        }
    }

    private async Task<string> CallAsync(CancellationToken stop)
    {
        string answer = "";
        await ParkMesh.UntilAsync("edge2 reaches the video Service of edge1", async () => (answer = (await fixture.Park.Edge2.Pods[1].Host.RunAsync(
            stop, "curl", "-sS", "-m", "5", $"http://{ParkServices.Video.Name}/")).Output).Length > 0, stop);
        return answer;
    }

    private async Task RestartAsync(IEnumerable<Node> nodes, string signal, CancellationToken stop, params string[] source)
    {
        foreach (Node node in nodes)
        {
            fixture.Mesh.Agents[node.Name].Signal(signal);
            await fixture.Mesh.Agents[node.Name].ExitAsync(stop);
        }

        foreach (Node node in nodes)
        {
            await fixture.Mesh.StartAgentAsync(node, stop, source);
        }

        foreach (Node node in nodes)
        {
            await fixture.Mesh.ReadyAsync(node, stop);
        }
    }
}
