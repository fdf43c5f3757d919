using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Bench;

/// <summary>What clients of edge3 notice of an endpoint that is listed but refuses, and of an agent that is killed.</summary>
internal static class ProxyFaults
{
    private const string ClusterIP = "10.96.1.1";

    public static async Task<string> RunAsync(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        StringBuilder text = new();
        text.AppendLine("""

            ## A dead endpoint
            10,000 requests (a connection each, 20 at a time) of a pod of edge3 to a Service with endpoints on edge3, edge1 and edge1 or, where
            one is dead, with an endpoint in its place that refuses. All requests count, those of the first second too.

            | | failed | p50, ms | p99, ms | slowest, ms |
            |---|---:|---:|---:|---:|
            """);
        text.AppendLine(await DeadAsync("all three serve", "172.17.0.3@edge1:80"));
        text.AppendLine(await DeadAsync("one on edge1 refuses", "172.17.0.3@edge1:9"));
        text.AppendLine(await DeadAsync("one on edge3 itself refuses", "172.17.0.2@edge3:9"));
        text.AppendLine("""

            ## The agent is killed
            `kill -9` of the agent of edge3 and a start at once, while a pod there holds 20 streams to a local endpoint (kernel path) and asks edge1
            every 10 ms on a new connection (agent's path).

            | | |
            |---|---|
            """);
        text.Append(await KillAsync(park, mesh, stop));
        return text.ToString();

        async Task<string> DeadAsync(string what, string third)
        {
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");
            await File.WriteAllTextAsync(Path.Combine(mesh.ManifestsOf("edge3"), "three.yaml"), Three("172.17.0.2@edge3:80", "172.17.0.2@edge1:80", third), stop);
            await Task.Delay(2000, stop);
            RequestOutcome outcome = JsonSerializer.Deserialize<RequestOutcome>(await park.Edge3.Pods[1].Host.MustAsync(
                stop, ProxyBench.Tool, "many-requests", ClusterIP + ":80", "three", "/", "20", "10000", "0"))!;
            return string.Create(
                CultureInfo.InvariantCulture, $"| {what} | {outcome.Failed} | {outcome.P50:F2} | {outcome.P99:F2} | {outcome.SlowestMilliseconds:F0} |");
        }
    }

    private static async Task<string> KillAsync(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} kill -9");
        Host pod = park.Edge3.Pods[1].Host;
        LabProcess streams = pod.Start("steady", [ProxyBench.Tool, "steady", $"{ParkServices.Display.ClusterIP}:{ParkServices.TcpEchoPort}", "20"]);
        LabProcess requests = pod.Start("requests", [ProxyBench.Tool, "requests", $"{ParkServices.Video.ClusterIP}:80", "video", "/", "10"]);
        await Task.Delay(3000, stop);
        LabProcess agent = mesh.Agents["edge3"];
        agent.Signal("KILL");
        await agent.ExitAsync(stop);
        await mesh.StartAgentAsync(park.Edge3, stop);
        await mesh.ReadyAsync(park.Edge3, stop);
        await Task.Delay(3000, stop);
        SteadyOutcome held = await EndAsync<SteadyOutcome>(streams, stop);
        RequestOutcome asked = await EndAsync<RequestOutcome>(requests, stop);
        return string.Create(CultureInfo.InvariantCulture, $"""
            | kernel-path streams broken, longest wait | {held.Broken} of {held.Streams}, {held.LongestStallMilliseconds:F0} ms |
            | new connections through the agent that failed | {asked.Failed} of {asked.Sent}, all within {asked.FailingMilliseconds:F0} ms |
            | how they failed | {string.Join(", ", asked.Errors)} |

            """);
    }

    private static async Task<T> EndAsync<T>(LabProcess process, CancellationToken stop)
    {
        process.CloseInput();
        await process.ExitAsync(stop);
        return JsonSerializer.Deserialize<T>(process.Log().Split('\n').Last(line => line.StartsWith('{')))!;
    }

    private static string Three(params string[] endpoints)
    {
        StringBuilder yaml = new($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: three}
            spec:
              clusterIP: {{ClusterIP}}
              ports: [{name: http, port: 80}]

            """);
        for (int i = 0; i < endpoints.Length; i++)
        {
            string[] place = endpoints[i].Split('@', ':');
            yaml.Append(CultureInfo.InvariantCulture, $$"""
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: three-{{i}}, labels: {kubernetes.io/service-name: three} }
                addressType: IPv4
                ports: [{name: http, port: {{place[2]}}}]
                endpoints: [{addresses: [{{place[0]}}], nodeName: {{place[1]}}}]

                """);
        }

        return yaml.ToString();
    }
}
