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
    private const int TlsPairs = 100;
    private const string TotalRate = "400Mbit";

    // Payload that a pair wants to send a second: all together more than a core can relay in trains of two.
    private const double Wanted = 800_000;

    // Five times the limit of all.
    private const double WantedUnderLimit = 500_000;

    // Payload that a modest pair wants a second, about a tenth of what the others get: every tenth pair is one.
    private const double Modest = 10_000;

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <param name="binary">The edgemesh executable.</param>
    /// <param name="agents">In all.</param>
    /// <param name="parts">Of rest, udp, mixed, limit.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<string> RunAsync(string binary, int agents, IReadOnlyList<string> parts, CancellationToken stop)
    {
        if (agents < 2 * Pairs)
        {
            throw new LabException($"--agents {agents}: {Pairs} pairs relay, so give at least {2 * Pairs}");
        }

        await using LoadServer server = new(binary);
        server.Start();
        await server.ReadyAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(3), stop);
        LoadReport report = new(agents) { Empty = server.Use() };
        Say($"enrolling {agents} agents");
        long began = Stopwatch.GetTimestamp();
        await using Fleet fleet = await Fleet.EnrolAsync(server, agents, stop);
        report.Enrolled = Stopwatch.GetElapsedTime(began);
        return await new LoadBench(server, fleet, report).RunAsync(parts, stop);
    }

    private async Task<string> RunAsync(IReadOnlyList<string> parts, CancellationToken stop)
    {
        await ConnectAsync(stop);
        if (parts.Contains("rest"))
        {
            await RestAsync(stop);
        }

        if (parts.Contains("udp"))
        {
            await RelayAsync("UDP, all want the same", Wanted, _ => 1, stop);
            await RelayAsync("UDP, every tenth wants eight times as much", Wanted, i => i % 10 == 0 ? 8 : 1, stop);
            await RelayAsync("UDP, every tenth is modest", Wanted, i => ModestShare(i, Wanted), stop);
        }

        foreach (SimulatedAgent agent in fleet.Agents.Take(2 * TlsPairs))
        {
            agent.UsesUdp = false;
        }

        if (parts.Contains("mixed"))
        {
            await RestartAsync([], stop);
            // First: a flood over TLS leaves behind what waits in TCP's buffers.
            await RelayAsync($"{Pairs - TlsPairs} UDP, {TlsPairs} TLS, every tenth is modest", Wanted, i => ModestShare(i, Wanted), stop);
            await RelayAsync($"{Pairs - TlsPairs} UDP, {TlsPairs} TLS, all want the same", Wanted, _ => 1, stop);
        }

        if (parts.Contains("limit"))
        {
            await RestartAsync(["--relay.totalRate", TotalRate], stop);
            await RelayAsync($"the same with --relay.totalRate {TotalRate}", WantedUnderLimit, i => ModestShare(i, WantedUnderLimit), stop);
        }

        return report.Write();
    }

    private static double ModestShare(int pair, double wanted) => pair % 10 == 5 ? Modest / wanted : 1;

    private async Task ConnectAsync(CancellationToken stop)
    {
        Say($"enrolled in {report.Enrolled.TotalSeconds:F1} s; all connect");
        fleet.Attempts.Begin((int)Limit.TotalSeconds);
        fleet.Start();
        await fleet.UntilAllInAsync(Limit, stop);
        report.FirstStart = fleet.Attempts.LastIn;
        Say($"all in after {report.FirstStart.TotalSeconds:F1} s");
    }

    private async Task RestAsync(CancellationToken stop)
    {
        await Task.Delay(Settling, stop);
        (report.RestCores, _) = await server.WatchAsync(Rest, stop);
        report.AtRest = server.Use();
        Say($"at rest {LoadReport.Megabytes(report.AtRest.RssKilobytes)} MB, {report.RestCores:P1} of a core");
    }

    private async Task RelayAsync(string title, double wanted, Func<int, double> share, CancellationToken stop)
    {
        // Even agents send, odd ones receive.
        RelayPair[] pairs = [.. Enumerable.Range(0, Pairs).Select(i => new RelayPair(fleet.Agents[2 * i], fleet.Agents[(2 * i) + 1], share(i)))];
        RelayLoad load = new(pairs, wanted, fleet.Reactors[0]);
        (double Cores, IReadOnlyDictionary<string, long> Dropped) watched = (0, new Dictionary<string, long>());
        TimeSpan took = default;
        IReadOnlyList<(long Offered, long Delivered)> outcome = await load.RunAsync(WarmUp, async () =>
        {
            long began = Stopwatch.GetTimestamp();
            watched = await server.WatchAsync(Measured, stop);
            took = Stopwatch.GetElapsedTime(began);
        }, stop);
        Fairness fairness = Fairness.Of(title, pairs, outcome, took, watched.Cores, watched.Dropped);
        report.Relayed.Add(fairness);
        Say($"{title}: {fairness.Offered / 1e6:F0} Mbit/s offered, {fairness.Delivered / 1e6:F0} delivered, least {fairness.Least:P0}, most {fairness.Most:P0}, TLS {fairness.Tls:P0}, deviation {fairness.Deviation:P1}, modest {fairness.Modest:P0}, {fairness.Cores:F2} cores; {string.Join(", ", fairness.Dropped)}");
    }

    private async Task RestartAsync(string[] options, CancellationToken stop)
    {
        Say("the server is killed and started again");
        fleet.Attempts.Begin((int)Limit.TotalSeconds);
        long began = Stopwatch.GetTimestamp();
        await server.KillAsync(stop);
        server.Start(options);
        await server.ReadyAsync(stop);
        double serving = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await fleet.UntilAllInAsync(Limit, stop);
        Readmission back = Readmission.Of(serving, fleet.Attempts);
        report.Restarts.Add(back);
        Say($"serving after {back.Serving:F1} s, all back after {back.AllIn:F1} s; {string.Join(", ", Enum.GetValues<Outcome>().Select(o => $"{o} {back.Count(o)}"))}");
    }

    private static void Say(string what) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");
}
