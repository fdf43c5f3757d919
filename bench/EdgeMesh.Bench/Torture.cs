using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Bench;

/// <summary>An hour's worth of mishaps, one upon the other, under steady streams from edge3 to edge1.</summary>
internal static class Torture
{
    /// <summary>How long a stream may stand still while there is any way to the other end.</summary>
    private const double LongestStall = 3_000;

    private const int LongSleepEvery = 40;

    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    /// <returns>The report, and whether every stream lived, every byte was right and none stood still for too long.</returns>
    public static async Task<(string Report, bool IsGood)> RunAsync(
        string binary, int events, int streams, int seed, string[] only, string? logs, CancellationToken stop)
    {
        Random random = new(seed);
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedReject, stop);
        ParkMesh mesh = new(park, binary) { LogLevel = logs is null ? "info" : "debug" };
        await mesh.StartAllAsync(stop);
        LabProcess steady = park.Edge3.Pods[0].Host.Start(
            "steady", [Tool, "steady", $"{ParkServices.Parking.ClusterIP}:{ParkServices.TcpEchoPort}", streams.ToString(CultureInfo.InvariantCulture)]);
        await Task.Delay(2000, stop);
        List<Played> played = [];
        List<Mishap> bag = [];
        Mishap[] all = [.. Mishap.All(park, mesh, stop).Where(m => only.Length == 0 || only.Contains(m.What))];
        for (int i = 1; i <= events; i++)
        {
            if (bag.Count == 0)
            {
                Mishap[] shuffled = [.. all];
                random.Shuffle(shuffled);
                bag.AddRange(shuffled);
            }

            Mishap mishap = i % LongSleepEvery == 0 && only.Length == 0 ? Mishap.LongSleep(mesh) : bag[^1];
            bag.RemoveAt(bag.Count - 1);
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss.fff} {i}/{events} {mishap.What}");
            // A server that dies while the path leads through it leaves none.
            bool hasNoPath = mishap.HasNoPath || (mishap.What == Mishap.ServerKilled && await mesh.PeerPathAsync(park.Edge3, "edge1", stop) is not "direct");
            DateTime began = DateTime.UtcNow;
            await mishap.PlayAsync(stop);
            played.Add(new Played(mishap, began, DateTime.UtcNow, hasNoPath));
            await Task.Delay(random.Next(300, 3000), stop);
        }

        await Task.Delay(3000, stop);
        steady.CloseInput();
        await steady.ExitAsync(stop);
        if (logs is not null)
        {
            Directory.CreateDirectory(logs);
            foreach ((string node, LabProcess agent) in mesh.Agents)
            {
                await File.WriteAllTextAsync(Path.Combine(logs, node + ".log"), agent.Log(), stop);
            }

            await File.WriteAllTextAsync(Path.Combine(logs, "steady.log"), steady.Log(), stop);
        }

        SteadyOutcome outcome = JsonSerializer.Deserialize<SteadyOutcome>(steady.Log().Split('\n').Last(line => line.StartsWith('{')))!;
        return Write(outcome, played, seed);
    }

    private static (string Report, bool IsGood) Write(SteadyOutcome outcome, List<Played> played, int seed)
    {
        foreach (Stall stall in outcome.Stalls)
        {
            // The last one that had begun before the streams moved again, and was not over long before they stopped.
            Played? cause = played.LastOrDefault(p => p.Began < stall.Ended && p.Ended > stall.Began.AddSeconds(-5));
            double beyond = stall.Milliseconds - played.Sum(p => p.NoPathWithin(stall));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"stall {stall.Began.ToLocalTime():HH:mm:ss.fff}–{stall.Ended.ToLocalTime():HH:mm:ss.fff} {stall.Milliseconds:F0} ms, beyond no path {beyond:F0}: {cause?.Mishap.What}"));
            cause?.Stalls.Add(Math.Max(0, beyond));
        }

        double longest = played.SelectMany(p => p.Stalls).DefaultIfEmpty().Max();
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # Path torture
            Made by `make torture` (`bench/EdgeMesh.Bench/Torture.cs`) on {DateTime.UtcNow:yyyy-MM-dd}, seed {seed}: {outcome.Streams} TCP streams from a pod of edge3 to a pod of edge1 echo 512 bytes every 50 ms,
            every byte checked, while {played.Count} mishaps happen to the network, the server and the nodes with 0.3 to 3 s between them: an hour with one every {3600 / Math.Max(1, played.Count)} s, compressed.

            {outcome.Streams} streams, **{outcome.Broken} broken, {outcome.Wrong} with a wrong, missing or repeated byte**; {outcome.Bytes / 1e6:F0} MB echoed. {(outcome.FirstFault.Length > 0 ? "First fault: " + outcome.FirstFault : "")}
            Longest time without a byte while any way existed: **{longest / 1000:F1} s**. Waits are given without the time in which nothing could get through (a router without its link, a host asleep, the server killed while the path led through it).

            | mishap | times | with a wait over 0.4 s | median wait, s | longest, s |
            |---|---:|---:|---:|---:|
            """);
        foreach (IGrouping<string, Played> kind in played.GroupBy(p => p.Mishap.What).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            List<double> waits = [.. kind.Where(p => p.Stalls.Count > 0).Select(p => p.Stalls.Max() / 1000)];
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {kind.Key} | {kind.Count()} | {waits.Count} | {(waits.Count > 0 ? Metric.Median(waits).ToString("F1", CultureInfo.InvariantCulture) : "–")} | {(waits.Count > 0 ? waits.Max().ToString("F1", CultureInfo.InvariantCulture) : "–")} |");
        }

        return (text.ToString(), outcome is { Broken: 0, Wrong: 0 } && longest <= LongestStall);
    }

    private sealed record Played(Mishap Mishap, DateTime Began, DateTime Ended, bool HasNoPath)
    {
        public List<double> Stalls { get; } = [];

        public double NoPathWithin(Stall stall)
        {
            DateTime from = Began > stall.Began ? Began : stall.Began;
            DateTime to = Ended < stall.Ended ? Ended : stall.Ended;
            return HasNoPath && to > from ? (to - from).TotalMilliseconds : 0;
        }
    }
}
