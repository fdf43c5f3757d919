using System.Diagnostics;
using System.Globalization;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>Services from an API server on the cloud node; edge3 takes them from a MetaServer of its own.</summary>
[Collection(nameof(ParkCollection))]
public sealed class KubeSourceTests(ParkFixture fixture)
{
    private const string ApiAddress = ParkLab.ServerAddress + ":8080";
    private const string MetaAddress = "127.0.0.1:10550";

    [Fact]
    public async Task TheScenariosRunFromAnApiServerAndSurviveItsAbsence()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        ParkLab park = fixture.Park;
        LabProcess api = park.Cloud.Host.Start("kube-api", [ParkFixture.Tool, "api", ApiAddress]);
        LabProcess meta = park.Edge3.Host.Start("metaserver", [ParkFixture.Tool, "api", MetaAddress, "metaserver"]);
        await FillAsync(stop);
        Dictionary<string, string[]> sources = park.Nodes.ToDictionary(
            node => node.Name, node => (string[])["--kube-api", node == park.Edge3 ? $"http://{MetaAddress}" : $"http://{ApiAddress}"]);
        try
        {
            foreach (Node node in park.Nodes)
            {
                fixture.Mesh.Agents[node.Name].Signal("TERM");
                await fixture.Mesh.Agents[node.Name].ExitAsync(stop);
                await fixture.Mesh.StartAgentAsync(node, stop, sources[node.Name]);
            }

            foreach (Node node in park.Nodes)
            {
                await fixture.Mesh.ReadyAsync(node, stop);
            }

            await CallAllAsync(park, stop);

            // A new Service, asked for before it exists: the first answer after the apply is good.
            Pod client = park.Edge2.Pods[1];
            ParkService late = new("late", "10.96.0.77", ("edge1", "172.17.0.2"));
            Assert.Contains("NXDOMAIN", await client.Host.MustAsync(stop, "dig", "late.default.svc.cluster.local"), StringComparison.Ordinal);
            await ApplyAsync(park.Cloud.Host, ApiAddress, ParkServices.Json(late), stop);
            long applied = Stopwatch.GetTimestamp();
            await ParkMesh.UntilAsync("the new Service answers", async () =>
                (await client.Host.RunAsync(stop, "curl", "-sf", "-m", "0.3", "http://late.default.svc.cluster.local/")).Succeeded, stop);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"late after {Stopwatch.GetElapsedTime(applied).TotalMilliseconds:F0} ms"));

            // The API goes for good; an agent that is started now serves what it knew.
            api.Signal("KILL");
            meta.Signal("KILL");
            fixture.Mesh.Agents["edge2"].Signal("TERM");
            await fixture.Mesh.Agents["edge2"].ExitAsync(stop);
            await fixture.Mesh.StartAgentAsync(park.Edge2, stop, sources["edge2"]);
            await fixture.Mesh.ReadyAsync(park.Edge2, stop);
            await CallAllAsync(park, stop);
            using System.Text.Json.JsonDocument status = await fixture.Mesh.AskAsync(park.Edge2, stop, "status");
            Assert.Contains("serving the state of", status.RootElement.GetProperty("source").GetProperty("source").GetString(), StringComparison.Ordinal);
        }
        finally
        {
            api.Signal("KILL");
            meta.Signal("KILL");
            foreach (Node node in park.Nodes)
            {
                fixture.Mesh.Agents[node.Name].Signal("TERM");
                await fixture.Mesh.Agents[node.Name].ExitAsync(CancellationToken.None);
                await fixture.Mesh.StartAgentAsync(node, CancellationToken.None);
                await fixture.Mesh.ReadyAsync(node, CancellationToken.None);
            }
        }
    }

    private static async Task CallAllAsync(ParkLab park, CancellationToken stop)
    {
        foreach ((Node from, ParkService service) in ((Node, ParkService)[])
            [(park.Edge2, ParkServices.Video), (park.Edge3, ParkServices.Parking), (park.Edge3, ParkServices.Face), (park.Cloud, ParkServices.Display)])
        {
            string answer = "";
            await ParkMesh.UntilAsync($"{from.Name} reaches {service.Name}", async () =>
                (answer = (await from.Pods[1].Host.RunAsync(stop, "curl", "-sS", "-m", "5", $"http://{service.Name}/")).Output).Length > 0, stop);
            Assert.StartsWith(service.Pods[0].Node + "/", answer, StringComparison.Ordinal);
        }
    }

    private async Task FillAsync(CancellationToken stop)
    {
        string[] objects = [.. fixture.Park.Nodes.Select(ParkServices.Json), .. ParkServices.All.SelectMany(ParkServices.Json)];
        await ApplyAsync(fixture.Park.Cloud.Host, ApiAddress, objects, stop);
        await ApplyAsync(fixture.Park.Edge3.Host, MetaAddress, objects, stop);
    }

    private static async Task ApplyAsync(Host host, string address, IEnumerable<string> objects, CancellationToken stop)
    {
        foreach (string json in objects)
        {
            await ParkMesh.UntilAsync("the API takes an object", async () => (await host.RunAsync(
                stop, "curl", "-sf", "-m", "5", "-X", "POST", "--data-binary", json, $"http://{address}/control/apply")).Succeeded, stop);
        }
    }
}
