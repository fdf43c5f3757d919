using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Bench;

/// <summary>Two servers under relayed streams: one is killed, one is drained and restarted.</summary>
internal static class ServersBench
{
    private const int Streams = 200;
    private const int Rounds = 3;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(6);

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, binary);
        await mesh.StartServerAsync(stop);
        ServerPair servers = new(park, mesh);
        await servers.JoinAsync(stop);
        foreach (Node node in park.Nodes)
        {
            await mesh.StartAgentAsync(node, stop);
        }

        foreach (Node node in park.Nodes)
        {
            await mesh.ReadyAsync(node, stop);
            await ParkMesh.UntilAsync($"{node.Name} has both servers", () => servers.AreConnectedAsync(node, 2, stop), stop);
        }

        await park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop);
        LabProcess steady = park.Edge3.Pods[0].Host.Start(
            "steady", [ProxyBench.Tool, "steady", $"{ParkServices.Parking.ClusterIP}:{ParkServices.TcpEchoPort}", $"{Streams}"]);
        await Task.Delay(Calm, stop);
        List<(string What, DateTime From, DateTime To)> played = [];
        for (int i = 0; i < Rounds; i++)
        {
            await PlayAsync("the relaying server is killed", async used => await servers.KillAsync(used));
            await PlayAsync("the relaying server is drained, stopped and started", async used => await servers.DrainAsync(used, stop));
        }

        steady.CloseInput();
        await steady.ExitAsync(stop);
        SteadyOutcome outcome = JsonSerializer.Deserialize<SteadyOutcome>(steady.Log().Split('\n').Last(line => line.StartsWith('{')))!;
        return Write(outcome, played);

        async Task PlayAsync(string what, Func<string, Task> play)
        {
            string used = await servers.RelayOfAsync(park.Edge3, "edge1", stop);
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}: {used}");
            DateTime began = DateTime.UtcNow;
            await play(used);
            await Task.Delay(Calm, stop);
            played.Add((what, began, DateTime.UtcNow));
            await servers.StartAsync(used, stop);
            foreach (Node node in (Node[])[park.Edge1, park.Edge3])
            {
                await ParkMesh.UntilAsync($"{node.Name} has both servers again", () => servers.AreConnectedAsync(node, 2, stop), stop);
            }

            await Task.Delay(Calm, stop);
        }
    }

    private static string Write(SteadyOutcome outcome, List<(string What, DateTime From, DateTime To)> played)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # Two servers
            Made by `edgemesh-bench servers` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores: {Streams} TCP streams from a pod of edge3 to a pod of edge1, relayed because UDP between the sites is blocked, echo 512 bytes
            every 50 ms, every byte checked. The second server has joined the first; whichever relays is killed (SIGKILL) or drained and restarted, {Rounds} times each.

            {Streams} streams, **{outcome.Broken} broken, {outcome.Wrong} with a wrong, missing or repeated byte**. Pauses under 0.4 s are not recorded.

            | what | times | longest pause of any stream, s |
            |---|---:|---:|
            """);
        foreach (IGrouping<string, (string What, DateTime From, DateTime To)> kind in played.GroupBy(p => p.What))
        {
            double[] pauses = [.. outcome.Stalls.Where(s => kind.Any(p => s.Ended > p.From && s.Began < p.To)).Select(s => s.Milliseconds)];
            text.AppendLine(CultureInfo.InvariantCulture, $"| {kind.Key} | {kind.Count()} | {(pauses.Length == 0 ? "under 0.4" : (pauses.Max() / 1000).ToString("F1", CultureInfo.InvariantCulture))} |");
        }

        return text.ToString();
    }
}
