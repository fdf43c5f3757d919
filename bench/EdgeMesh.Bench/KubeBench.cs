using System.Diagnostics;
using System.Globalization;
using System.Text;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>What a cluster of 1,000 and of 5,000 Services costs an agent that takes them from an API server.</summary>
internal static class KubeBench
{
    private const string Api = "127.0.0.1:8080";
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
        Host host = park.Edge3.Host;
        LabProcess api = host.Start("kube-api", [Path.Combine(AppContext.BaseDirectory, "edgemesh-lab"), "api", Api]);
        await ApplyAsync(park, [.. park.Nodes.Select(ParkServices.Json), .. Enumerable.Range(0, services).SelectMany(Make)], stop);
        await StopAsync(mesh, stop);
        File.Delete(Path.Combine(mesh.StateOf("edge3"), "model.snapshot"));
        double synced = await StartAsync(park, mesh, stop);
        await Task.Delay(Rest, stop);
        ProcessUse rest = mesh.Agents["edge3"].Use();
        using (System.Text.Json.JsonDocument status = await mesh.AskAsync(park.Edge3, stop, "status"))
        {
            Console.Error.WriteLine($"{services} Services: {status.RootElement.GetProperty("memory")}");
        }

        double idle = await ChurnAsync(park, mesh, null, stop);
        List<double> news = [];
        for (int i = 0; i < 5; i++)
        {
            await ApplyAsync(park, Make(30_000 + i), stop);
            long began = Stopwatch.GetTimestamp();
            while (!(await park.Edge3.Pods[1].Host.RunAsync(stop, "curl", "-sf", "-m", "0.2", "-o", "/dev/null", $"http://s{30_000 + i}/")).Succeeded)
            {
                stop.ThrowIfCancellationRequested();
            }

            news.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        double changed = await EndpointChangeAsync(park, stop);

        // The state on disk follows.
        await Task.Delay(Rest, stop);
        double unrelated = await ChurnAsync(park, mesh, i => Heartbeat(park.Nodes[i % 4], i), stop);
        double cpu = await ChurnAsync(park, mesh, i => Make(i % 100, $"172.17.9.{(i % 250) + 1}").Last(), stop);
        api.Signal("KILL");
        await StopAsync(mesh, stop);
        double restart = await StartAsync(park, mesh, stop);
        return string.Create(CultureInfo.InvariantCulture,
            $"| {services} | {synced:F2} | {rest.RssKilobytes * 1.024 / 1000:F1} | {rest.RssAnonKilobytes * 1.024 / 1000:F1} | {idle * 100:F2} | {Metric.Median(news):F0} | {changed:F0} | {unrelated * 100:F2} | {cpu * 100:F2} | {restart:F2} |");
    }

    /// <summary>Milliseconds from before `apply` until the kernel says that the other pod's address is in the rules; median of nine.</summary>
    private static async Task<double> EndpointChangeAsync(ParkLab park, CancellationToken stop)
    {
        LabProcess monitor = park.Edge3.Host.Start("monitor", ["stdbuf", "-oL", "nft", "monitor", "elements"]);
        await Task.Delay(1000, stop);
        List<double> times = [];
        for (int i = 0; i < 9; i++)
        {
            int seen = monitor.Log().Length;
            long began = Stopwatch.GetTimestamp();
            await ApplyAsync(park, Make(7 + i, "172.17.0.3").Skip(1).Select(slice => slice.Replace("172.17.0.2", "172.17.0.3", StringComparison.Ordinal)), stop);
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

    private static async Task<double> ChurnAsync(ParkLab park, ParkMesh mesh, Func<int, string>? change, CancellationToken stop)
    {
        double before = mesh.Agents["edge3"].Use().CpuSeconds;
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < 200; i++)
        {
            if (change is not null)
            {
                await ApplyAsync(park, [change(i)], stop);
            }

            TimeSpan left = TimeSpan.FromMilliseconds(100 * (i + 1)) - Stopwatch.GetElapsedTime(began);
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left, stop);
            }
        }

        return (mesh.Agents["edge3"].Use().CpuSeconds - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static IEnumerable<string> Make(int number) => Make(number, "172.17.0.3");

    // With what the API adds and the mesh skips, some 1.3 kB each.
    private static IEnumerable<string> Make(int number, string second)
    {
        string address = $"10.{100 + (number / 62_500)}.{number / 250 % 250}.{(number % 250) + 1}";
        yield return $$"""
            {"kind":"Service","apiVersion":"v1","metadata":{"name":"s{{number}}","namespace":"default","labels":{"app":"s{{number}}"},
             "managedFields":[{"manager":"kubectl-client-side-apply","operation":"Update","apiVersion":"v1","time":"2026-11-22T11:37:59Z","fieldsType":"FieldsV1",
               "fieldsV1":{"f:metadata":{"f:annotations":{ } },"f:spec":{"f:internalTrafficPolicy":{ },"f:ports":{ } } } }]},
             "spec":{"type":"ClusterIP","clusterIP":"{{address}}","clusterIPs":["{{address}}"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack",
               "selector":{"app":"s{{number}}"},"sessionAffinity":"None","ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":80}]} }
            """;
        yield return $$"""
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"s{{number}}-x7k2p","namespace":"default",
             "labels":{"kubernetes.io/service-name":"s{{number}}","endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"} },"addressType":"IPv4","endpoints":[
               {"addresses":["172.17.0.2"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"edge3","targetRef":{"kind":"Pod","name":"s{{number}}-6d4cf56db6-aaaaa","namespace":"default"} },
               {"addresses":["{{second}}"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"edge1","targetRef":{"kind":"Pod","name":"s{{number}}-6d4cf56db6-bbbbb","namespace":"default"} }],
             "ports":[{"name":"http","protocol":"TCP","port":80}]}
            """;
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
        await mesh.StartAgentAsync(park.Edge3, stop, "--kube-api", $"http://{Api}");
        await mesh.ReadyAsync(park.Edge3, stop);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task ApplyAsync(ParkLab park, IEnumerable<string> objects, CancellationToken stop)
    {
        string file = Path.Combine(park.Lab.Directory, "objects.json");
        await File.WriteAllTextAsync(file, $"[{string.Join(',', objects)}]", stop);
        await ParkMesh.UntilAsync("the API takes the objects", async () => (await park.Edge3.Host.RunAsync(
            stop, "curl", "-sf", "-m", "20", "-X", "POST", "--data-binary", "@" + file, $"http://{Api}/control/apply")).Succeeded, stop);
    }
}
