using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>
/// An agent that sends to two peers at once: what each of its tunnel's threads does, and what two give where one is not enough. The
/// machine's cores are shared with the peers' agents and iperf3, so that is shown with the threads held to a part of a core each.
/// </summary>
internal static class ThreadsBench
{
    private const int Seconds = 5;
    private const int Rounds = 3;

    // Of a core, in periods of 5 ms.
    private const double Share = 0.2;

    private static readonly int[] OnePeer = [0];
    private static readonly int[] BothPeers = [0, 1];

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, binary) { LogLevel = "warn" };
        await mesh.StartAllAsync(stop);
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # Threads of the tunnel
            Made by `edgemesh-bench threads` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores, which two peers' agents and iperf3 share: edge1's pods send to edge2 on the LAN and to edge3 behind another
            NAT, {Seconds} s, medians of {Rounds}. *Held* is each thread of edge1's tunnel in a control group with {Share * 100:F0} % of a core (CFS quota), the peers with as much as they want.

            | tunnel threads of edge1 | peers at once | | together, Gbit/s | first thread, % of a core | second thread |
            |---:|---:|---|---:|---:|---:|
            """);
        using ThreadQuota? quota = ThreadQuota.TryCreate(Share);
        foreach (int threads in (int[])[1, 2])
        {
            foreach (int[] peers in (int[][])[OnePeer, BothPeers])
            {
                foreach (ThreadQuota? held in quota is null ? (ThreadQuota?[])[null] : [null, quota])
                {
                    Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {threads} threads, {peers.Length} peers{(held is null ? "" : ", held")}");
                    List<Measured> rounds = [];
                    for (int i = 0; i < Rounds; i++)
                    {
                        rounds.Add(await MeasureAsync(park, mesh, threads, peers, held, stop));
                    }

                    text.AppendLine(CultureInfo.InvariantCulture,
                        $"| {threads} | {peers.Length} | {(held is null ? "" : "held")} | {Median(rounds, m => m.Gigabits):F2} | {Median(rounds, m => m.First * 100):F0} | {(threads == 1 ? "–" : $"{Median(rounds, m => m.Second * 100):F0}")} |");
                }
            }
        }

        if (quota is null)
        {
            text.AppendLine("\nNo control group with CPU quotas could be made here (cgroup v1, cpu), so nothing was held.");
        }

        return text.ToString();
    }

    private static double Median(List<Measured> rounds, Func<Measured, double> value) => Metric.Median(rounds.Select(value));

    private static async Task<Measured> MeasureAsync(ParkLab park, ParkMesh mesh, int threads, int[] peers, ThreadQuota? held, CancellationToken stop)
    {
        mesh.AgentEnvironment = new Dictionary<string, string> { ["DOTNET_PROCESSOR_COUNT"] = $"{threads}" };
        mesh.Agents["edge1"].Signal("TERM");
        await mesh.Agents["edge1"].ExitAsync(stop);
        LabProcess agent = await mesh.StartAgentAsync(park.Edge1, stop);
        await mesh.ReadyAsync(park.Edge1, stop);
        (Pod Pod, string Peer, ParkService Service, string Path)[] all =
        [
            (park.Edge2.Pods[1], "edge2", ParkServices.Video, "LAN"),
            (park.Edge3.Pods[1], "edge3", ParkServices.Parking, "direct"),
        ];
        foreach ((Pod pod, string peer, ParkService service, string path) in all)
        {
            await ParkMesh.UntilAsync($"{peer} has a path to edge1", async () =>
                (await pod.Host.RunAsync(stop, "curl", "-sf", "-m", "5", $"http://{service.ClusterIP}/")).Succeeded
                && await mesh.PeerPathAsync(park.Edge1, peer, stop) == path, stop);
        }

        (int Thread, double)[] before = ThreadTimes(agent.Id);
        held?.Hold(before.Select(t => t.Thread));
        double[] gigabits = await Task.WhenAll(peers.Select(async i =>
        {
            using JsonDocument report = JsonDocument.Parse(await all[i].Pod.Host.MustAsync(
                stop, "iperf3", "-c", all[i].Service.ClusterIP, "-p", $"{ParkServices.IperfPort}", "-t", $"{Seconds}", "-R", "-J"));
            return report.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 1e9;
        }));
        double[] used = [.. ThreadTimes(agent.Id).Zip(before, (after, first) => (after.Seconds - first.Item2) / Seconds), 0];
        return new Measured(gigabits.Sum(), used[0], used[1]);
    }

    // The tunnel's threads in order, with the CPU time they have had.
    private static (int Thread, double Seconds)[] ThreadTimes(int process) =>
    [
        .. Directory.GetDirectories($"/proc/{process}/task")
            .Select(task => (Name: File.ReadAllText($"{task}/comm").Trim(), Path: task))
            .Where(task => task.Name.StartsWith("tunnel", StringComparison.Ordinal))
            .OrderBy(task => task.Name, StringComparer.Ordinal)
            .Select(task => (int.Parse(Path.GetFileName(task.Path), CultureInfo.InvariantCulture), LabProcess.CpuSecondsOf($"{task.Path}/stat"))),
    ];

    private sealed record Measured(double Gigabits, double First, double Second);
}
