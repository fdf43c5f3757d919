using System.Globalization;
using System.Text;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench.Load;

/// <summary>The outcome as Markdown.</summary>
internal sealed class LoadReport(int agents)
{
    public ProcessUse Empty { get; init; }

    public TimeSpan Enrolled { get; set; }

    public TimeSpan FirstStart { get; set; }

    public ProcessUse AtRest { get; set; }

    public double RestCores { get; set; }

    public List<Fairness> Relayed { get; } = [];

    public List<Readmission> Restarts { get; } = [];

    public static string Megabytes(long kilobytes) => (kilobytes * 1.024 / 1000).ToString("F0", CultureInfo.InvariantCulture);

    public string Write()
    {
        StringBuilder text = new();
        WriteRest(text);
        if (Relayed.Count > 0)
        {
            WriteRelay(text);
        }

        foreach (Readmission back in Restarts)
        {
            WriteRestart(text, back);
        }

        return text.ToString();
    }

    private void WriteRest(StringBuilder text)
    {
        long each = (AtRest.RssKilobytes - Empty.RssKilobytes) / agents;
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # A server under a fleet
            Made by `edgemesh-bench load` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores: one server program on loopback and {agents} simulated agents in one process beside it, which share those cores. The agents speak the
            real protocol: TLS 1.3 with certificates from the server's own enrolment, WebSocket `edgemesh.v1` with a ping every 20 s, a UDP socket each with hellos every 15 s and STUN. Backoff, patience and hello times are the real agent's
            code. {SimulatedIdentity.PerAddress} agents share a source address (127.1.x.y), so no bound of the server is loosened.

            ## At rest
            | | |
            |---|---:|
            | agents, all with a UDP leg | {agents} |
            | server without agents, RSS, MB | {Megabytes(Empty.RssKilobytes)} |
            | server with all, RSS, MB | {Megabytes(AtRest.RssKilobytes)} |
            | of it anonymous, MB | {Megabytes(AtRest.RssAnonKilobytes)} |
            | an agent, kB | {each} |
            | 10,000 agents, extrapolated, RSS, MB | {Megabytes(Empty.RssKilobytes + (10_000 * each))} |
            | server's CPU at rest, % of a core | {RestCores * 100:F1} |
            | enrolment of all, s | {Enrolled.TotalSeconds:F1} |
            | first connection of all at once, s | {FirstStart.TotalSeconds:F1} |
            """);
    }

    private void WriteRelay(StringBuilder text)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"""

            ## {Relayed[0].Pairs} pairs relaying at once
            While the other agents are at rest: {Relayed[0].Pairs} agents send to {Relayed[0].Pairs} others, 1,200-byte datagrams in trains of two, whatever the losses. Least and most: payload delivered to the worst and the best served pair against the
            mean, in eight seconds. A modest pair wants 80 kbit/s, less than its share; the other columns tell of those that want more.

            | load | wanted, Mbit/s | delivered | a pair, Mbit/s | least, % of the mean | most, % | TLS pairs' mean, % | standard deviation, % | modest pairs got of what they wanted, % | server, cores | dropped frames |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|
            """);
        foreach (Fairness run in Relayed)
        {
            string dropped = run.Dropped.Count == 0 ? "none" : string.Join(", ", run.Dropped.OrderByDescending(d => d.Value).Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Value:N0} {d.Key}")));
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {run.Title} | {run.Offered / 1e6:F0} | {run.Delivered / 1e6:F0} | {run.Mean / 1e6:F2} | {run.Least * 100:F0} | {run.Most * 100:F0} | {Percent(run.Tls)} | {run.Deviation * 100:F1} | {Percent(run.Modest)} | {run.Cores:F2} | {dropped} |");
        }

        text.AppendLine("""

            *kernel*: at the server's UDP socket, which nobody read in time; the others are reasons of `edgemesh_server_dropped_total`.
            """);
    }

    private static string Percent(double? part) => part is { } some ? (some * 100).ToString("F0", CultureInfo.InvariantCulture) : "–";

    private static void WriteRestart(StringBuilder text, Readmission back)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"""

            ## Killed and started again
            SIGKILL under all agents, started again at once; it served after {back.Serving:F1} s. **All were back {back.AllIn:F1} s after the kill**, with {back.Count(Outcome.Refused):N0} attempts refused by the kernel while nobody listened, {back.Count(Outcome.NoTcp):N0} without TCP
            in 3 s, {back.Count(Outcome.NoTls):N0} that lost patience (8 s) in TLS or the request, {back.Count(Outcome.NoWelcome):N0} in the welcome, {back.Count(Outcome.Ended):N0} ended by the server.

            | second | back | refused | no TCP | lost patience | ended |
            |---:|---:|---:|---:|---:|---:|
            """);
        for (int second = 0; second < back.Seconds.Count; second++)
        {
            IReadOnlyDictionary<Outcome, int> seen = back.Seconds[second];
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {second + 1} | {seen[Outcome.In]} | {seen[Outcome.Refused]} | {seen[Outcome.NoTcp]} | {seen[Outcome.NoTls] + seen[Outcome.NoWelcome]} | {seen[Outcome.Ended]} |");
        }
    }
}
