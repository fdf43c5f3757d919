using System.Diagnostics;
using System.Globalization;
using System.Text;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>What a cluster of 1,000 and of 5,000 Services costs an agent that takes them from an API server.</summary>
internal static class KubeBench
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(25);

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, binary);
        await mesh.StartAllAsync(stop);
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # An agent in a large cluster
            Made by `edgemesh-bench kube` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores: the agent of edge3 takes N Services with two endpoints each (local and remote) from an API server on its own node.

            | Services × 2 endpoints | first sync, s | RSS, MB | RssAnon, MB | CPU at rest, % of a core | new Service answers by name after, ms | changed endpoint in the kernel's rules after, ms | CPU with 10 Node heartbeats a second, % of a core | the same with 10 endpoint changes a second | restart without the API: ready after, s |
            |---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
            """);
        foreach (int services in (int[])[1000, 5000])
        {
            text.AppendLine(await MeasureAsync(park, mesh, services, stop));
        }

        return text.ToString();
    }

    private static async Task<string> MeasureAsync(ParkLab park, ParkMesh mesh, int services, CancellationToken stop)
    {
        LargeCluster cluster = new(park.Edge3);
        await cluster.StartAsync(park, services, stop);
        await StopAsync(mesh, stop);
        File.Delete(Path.Combine(mesh.StateOf("edge3"), "model.snapshot"));
        double synced = await StartAsync(park, mesh, stop);
        await Task.Delay(Rest, stop);
        ProcessUse rest = mesh.Agents["edge3"].Use();
        using (System.Text.Json.JsonDocument status = await mesh.AskAsync(park.Edge3, stop, "status"))
        {
            Console.Error.WriteLine($"{services} Services: {status.RootElement.GetProperty("memory")}");
        }

        double idle = await ChurnAsync(cluster, mesh, null, stop);
        List<double> news = [];
        for (int i = 0; i < 5; i++)
        {
            await cluster.ApplyAsync(LargeCluster.Make(30_000 + i), stop);
            long began = Stopwatch.GetTimestamp();
            while (!(await park.Edge3.Pods[1].Host.RunAsync(stop, "curl", "-sf", "-m", "0.2", "-o", "/dev/null", $"http://s{30_000 + i}/")).Succeeded)
            {
                stop.ThrowIfCancellationRequested();
            }

            news.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        double changed = await EndpointChangeAsync(park, cluster, stop);

        // The state on disk follows.
        await Task.Delay(Rest, stop);
        double unrelated = await ChurnAsync(cluster, mesh, i => Heartbeat(park.Nodes[i % 4], i), stop);
        double cpu = await ChurnAsync(cluster, mesh, i => LargeCluster.Make(i % 100, $"172.17.9.{(i % 250) + 1}").Last(), stop);
        cluster.Stop();
        await StopAsync(mesh, stop);
        double restart = await StartAsync(park, mesh, stop);
        return string.Create(CultureInfo.InvariantCulture,
            $"| {services} | {synced:F2} | {rest.RssKilobytes * 1.024 / 1000:F1} | {rest.RssAnonKilobytes * 1.024 / 1000:F1} | {idle * 100:F2} | {Metric.Median(news):F0} | {changed:F0} | {unrelated * 100:F2} | {cpu * 100:F2} | {restart:F2} |");
    }

    /// <summary>Milliseconds from before `apply` until the kernel says that the other pod's address is in the rules; median of nine.</summary>
    private static async Task<double> EndpointChangeAsync(ParkLab park, LargeCluster cluster, CancellationToken stop)
    {
        LabProcess monitor = park.Edge3.Host.Start("monitor", ["stdbuf", "-oL", "nft", "monitor", "elements"]);
        await Task.Delay(1000, stop);
        List<double> times = [];
        for (int i = 0; i < 9; i++)
        {
            int seen = monitor.Log().Length;
            long began = Stopwatch.GetTimestamp();
            await cluster.ApplyAsync(LargeCluster.Make(7 + i, "172.17.0.3").Skip(1).Select(slice => slice.Replace("172.17.0.2", "172.17.0.3", StringComparison.Ordinal)), stop);
            while (!monitor.Log()[seen..].Contains("172.17.0.3", StringComparison.Ordinal))
            {
                await Task.Delay(1, stop);
            }

            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(300, stop);
        }

        monitor.Signal("KILL");
        return Metric.Median(times);
    }

    private static async Task<double> ChurnAsync(LargeCluster cluster, ParkMesh mesh, Func<int, string>? change, CancellationToken stop)
    {
        double before = mesh.Agents["edge3"].Use().CpuSeconds;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < 200; i++)
        {
            if (change is not null)
            {
                await cluster.ApplyAsync([change(i)], stop);
            }

            TimeSpan left = TimeSpan.FromMilliseconds(100 * (i + 1)) - Stopwatch.GetElapsedTime(began);
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left, stop);
            }
        }

        return (mesh.Agents["edge3"].Use().CpuSeconds - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    // What changes in a Node every few seconds is nothing the mesh keeps. Some 6 kB, as a node with thirty images has.
    private static string Heartbeat(Node node, int beat) => $$"""
        {"kind":"Node","apiVersion":"v1","metadata":{"name":"{{node.Name}}","labels":{"kubernetes.io/arch":"arm64","kubernetes.io/hostname":"{{node.Name}}"},
         "managedFields":[{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-11-22T11:37:59Z","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{ } } },"subresource":"status"}]},
         "status":{"capacity":{"cpu":"4","memory":"3884372Ki","pods":"110"},"allocatable":{"cpu":"4","memory":"3781972Ki","pods":"110"},
         "addresses":[{"type":"InternalIP","address":"{{node.Address}}"}],
         "conditions":[{{string.Join(',', ((string[])["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]).Select(type => $$"""{"type":"{{type}}","status":"True","lastHeartbeatTime":"{{beat}}","lastTransitionTime":"2026-11-22T11:37:59Z","reason":"KubeletReady","message":"kubelet is posting ready status"}"""))}}],
         "images":[{{string.Join(',', Enumerable.Range(0, 30).Select(i => $$"""{"names":["registry.example/park/image-{{i}}@sha256:5e0a1f3c5e0a1f3c5e0a1f3c5e0a1f3c5e0a1f3c5e0a1f3c5e0a1f3c5e0a1f3c","registry.example/park/image-{{i}}:v1.{{i}}"],"sizeBytes":12345678}"""))}}]} }
        """;

    private static async Task StopAsync(ParkMesh mesh, CancellationToken stop)
    {
        mesh.Agents["edge3"].Signal("TERM");
        await mesh.Agents["edge3"].ExitAsync(stop);
    }

    private static async Task<double> StartAsync(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        await mesh.StartAgentAsync(park.Edge3, stop, "--kube-api", $"http://{LargeCluster.Api}");
        await mesh.ReadyAsync(park.Edge3, stop);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
