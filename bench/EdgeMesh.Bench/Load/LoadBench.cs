using System.Diagnostics;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench.Load;

/// <summary>
/// A server under a fleet, on loopback: thousands of simulated agents at rest, hundreds of pairs that relay at once, a server
/// that is killed under all of them.
/// </summary>
internal sealed class LoadBench(LoadServer server, Fleet fleet, LoadReport report)
{
    private const int Pairs = 500;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static async Task<string> RunAsync(string binary, int agents, CancellationToken stop)
    {
        await using LoadServer server = new(binary);
        server.Start();
        await server.ReadyAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(3), stop);
        LoadReport report = new(agents) { Empty = server.Use() };
        Say($"enrolling {agents} agents");
        long began = Stopwatch.GetTimestamp();
        await using Fleet fleet = await Fleet.EnrolAsync(server.EndPoint, await server.TokenAsync(agents, stop), agents, stop);
        report.Enrolled = Stopwatch.GetElapsedTime(began);
        return await new LoadBench(server, fleet, report).RunAsync(stop);
    }

    private async Task<string> RunAsync(CancellationToken stop)
    {
        Say($"enrolled in {report.Enrolled.TotalSeconds:F1} s; all connect");
        fleet.Attempts.Begin((int)Limit.TotalSeconds);
        fleet.Start();
        await fleet.UntilAllInAsync(Limit, stop);
        report.FirstStart = fleet.Attempts.LastIn;
        Say($"all in after {report.FirstStart.TotalSeconds:F1} s; at rest");
        await Task.Delay(Settling, stop);
        (report.RestCores, _) = await server.WatchAsync(Rest, stop);
        report.AtRest = server.Use();
        Say($"RSS {report.AtRest.RssKilobytes * 1.024 / 1000:F0} MB, {report.RestCores:P1} of a core");
        await RelayAsync(stop);
        await RestartAsync(stop);
        return report.Write();
    }

    private async Task RelayAsync(CancellationToken stop)
    {
        await RelayAsync("UDP, all want the same", 0, _ => 1, stop);
        await RelayAsync("UDP, every tenth wants eight times as much", 0, i => i % 10 == 0 ? 8 : 1, stop);
    }

    private async Task RelayAsync(string title, int tls, Func<int, double> share, CancellationToken stop)
    {
        // Even agents send, odd ones receive.
        RelayPair[] pairs = [.. Enumerable.Range(0, Pairs).Select(i => new RelayPair(fleet.Agents[2 * i], fleet.Agents[(2 * i) + 1], share(i)))];
        RelayLoad load = new(pairs, 600_000, fleet.Reactors[0]);
        double cores = 0;
        IReadOnlyDictionary<string, long> dropped = new Dictionary<string, long>();
        TimeSpan took = default;
        IReadOnlyList<(long Offered, long Delivered)> outcome = await load.RunAsync(WarmUp, async () =>
        {
            long began = Stopwatch.GetTimestamp();
            (cores, dropped) = await server.WatchAsync(Measured, stop);
            took = Stopwatch.GetElapsedTime(began);
        }, stop);
        Fairness fairness = Fairness.Of(title, outcome, took, cores, dropped);
        report.Relayed.Add(fairness);
        Say(fairness.ToString() + string.Join(",", dropped));
    }

    private async Task RestartAsync(CancellationToken stop)
    {
        Say("the server is killed and started again");
        fleet.Attempts.Begin((int)Limit.TotalSeconds);
        await server.KillAsync(stop);
        server.Start();
        while (fleet.Connected == fleet.Agents.Count)
        {
            await Task.Delay(10, stop);
        }

        await fleet.UntilAllInAsync(Limit, stop);
        report.Readmitted = fleet.Attempts.LastIn;
        Say($"all back after {report.Readmitted.TotalSeconds:F1} s");
        for (int second = 0; second <= report.Readmitted.TotalSeconds; second++)
        {
            Say(string.Join(" ", Enum.GetValues<Outcome>().Select(o => $"{o} {fleet.Attempts.Count(second, o)}")));
        }
    }

    private static void Say(string what) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");
}
