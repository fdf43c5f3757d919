using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>The agent's DNS server beside unbound with the same names, asked by <c>dnsperf</c> from a pod; and what an outage costs.</summary>
internal static partial class DnsBench
{
    private const int Services = 5000;
    private const int Rounds = 9;
    private const int Seconds = 4;
    private const int Gentle = 5000;
    private const int Calm = 500;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(25);
    private const string Agent = "169.254.96.16";
    private const string Unbound = "172.17.0.1";
    private const string Upstream = "203.0.113.10";

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, binary);
        await mesh.StartServerAsync(stop);
        string[] names = [.. Enumerable.Range(0, Services).Select(i => $"s{i}.default.svc.cluster.local")];
        await new LargeCluster(park.Edge1).StartAsync(park, Services, stop);
        await mesh.StartAgentAsync(park.Edge1, stop, "--kube-api", $"http://{LargeCluster.Api}", "--dns.upstream", Upstream + ":53");
        await mesh.ReadyAsync(park.Edge1, stop);
        await Task.Delay(Rest, stop);
        await StartUnboundAsync(park.Edge1.Host, Unbound, names.Select((name, i) => $"{name}. 5 IN A {LargeCluster.AddressOf(i)}"), "cluster.local.", stop);
        await StartUnboundAsync(park.Cloud.Host, Upstream, ["www.example.test. 1 IN A 198.51.100.7", "new.example.test. 1 IN A 198.51.100.8"], "example.test.", stop);
        Random random = new(7);
        string questions = Path.Combine(park.Lab.Directory, "questions");
        await File.WriteAllLinesAsync(questions, Enumerable.Range(0, 20_000).Select(_ => names[random.Next(names.Length)] + " A"), stop);
        Pod client = park.Edge1.Pods[1];
        foreach (string server in (string[])[Agent, Unbound])
        {
            await ParkMesh.UntilAsync($"{server} answers", async () => (await client.Host.RunAsync(
                stop, "dig", "@" + server, "+short", "+time=1", "+tries=1", names[^1])).Output.Trim() == LargeCluster.AddressOf(Services - 1), stop);
        }

        List<Result> agent = [];
        List<Result> unbound = [];
        for (int i = 0; i < Rounds; i++)
        {
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} round {i + 1}");
            (List<Result> first, string a, List<Result> second, string b) = i % 2 == 0 ? (agent, Agent, unbound, Unbound) : (unbound, Unbound, agent, Agent);
            first.Add(await AskAsync(client, a, questions, stop));
            second.Add(await AskAsync(client, b, questions, stop));
        }

        double busy = Rss(mesh);
        await Task.Delay(Rest, stop);
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # The DNS server
            Made by `edgemesh-bench dns` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores, which `dnsperf` shares with the servers: the agent and unbound (num-threads 2, the names as
            local-data) on one node, each asked in turn from a pod for {Services} Services at random; medians of {Rounds} rounds of {Seconds} s. Latency at {Gentle} queries a second.

            | | queries/s, as many as it takes | lost | p50, ms | p99, ms |
            |---|---:|---:|---:|---:|
            {Row("the agent", agent)}
            {Row("unbound", unbound)}
            | ratio, median of the pairs | {Ratio(agent, unbound, r => r.PerSecond)} | | {Ratio(agent, unbound, r => r.P50)} | {Ratio(agent, unbound, r => r.P99)} |

            The agent right afterwards: {busy:F1} MB RSS, {Rest.TotalSeconds} s later {Rss(mesh):F1} MB.

            ## The link to the upstream server goes away
            | | |
            |---|---|
            """);
        text.Append(await OutageAsync(park, client, questions, stop));
        return text.ToString();
    }

    private static async Task<Result> AskAsync(Pod client, string server, string questions, CancellationToken stop)
    {
        string flood = await client.Host.MustAsync(
            stop, "dnsperf", "-s", server, "-d", questions, "-l", $"{Seconds}", "-c", "8", "-q", "200");
        double[] times = await TimesAsync(client, server, questions, Gentle, stop);
        double rate = double.Parse(RateLine().Match(flood).Groups[1].Value, CultureInfo.InvariantCulture);
        int lost = int.Parse(LostLine().Match(flood).Groups[1].Value, CultureInfo.InvariantCulture);
        return new Result(rate, lost, times[times.Length / 2], times[times.Length * 99 / 100]);
    }

    // Milliseconds of each answer, in order.
    private static async Task<double[]> TimesAsync(Pod client, string server, string questions, int perSecond, CancellationToken stop)
    {
        string said = await client.Host.MustAsync(
            stop, "dnsperf", "-v", "-s", server, "-d", questions, "-l", $"{Seconds}", "-c", "8", "-Q", $"{perSecond}");
        return [.. VerboseLine().Matches(said).Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) * 1000).Order()];
    }

    private static async Task<string> OutageAsync(ParkLab park, Pod client, string questions, CancellationToken stop)
    {
        await DigAsync("www.example.test");
        await park.NatA.LinkAsync(up: false, stop);
        await Task.Delay(1500, stop);
        List<double> stale = [];
        (double first, _) = await DigAsync("www.example.test");
        for (int i = 0; i < 50; i++)
        {
            stale.Add((await DigAsync("www.example.test")).Milliseconds);
        }

        double[] cluster = await TimesAsync(client, Agent, questions, Calm, stop);
        (double unknown, string code) = await DigAsync("new.example.test");
        await park.NatA.LinkAsync(up: true, stop);
        long began = Stopwatch.GetTimestamp();
        while ((await DigAsync("new.example.test")).Code != "NOERROR")
        {
            stop.ThrowIfCancellationRequested();
        }

        return string.Create(CultureInfo.InvariantCulture, $"""
            | {cluster.Length} cluster names, {Calm} a second | p50 {cluster[cluster.Length / 2]:F2} ms, p99 {cluster[cluster.Length * 99 / 100]:F2} ms, slowest {cluster[^1]:F2} ms |
            | a cached name past its time, the first question | {first:F0} ms |
            | the same, slowest of the next 50 | {stale.Max():F0} ms |
            | a name that nobody knows | {code} after {unknown:F0} ms |
            | that name, once the link is back | NOERROR after {Stopwatch.GetElapsedTime(began).TotalMilliseconds:F0} ms |

            """);

        async Task<(double Milliseconds, string Code)> DigAsync(string name)
        {
            string said = (await client.Host.RunAsync(stop, "dig", "@" + Agent, "+tries=1", "+time=4", name)).Output;
            return (TimeLine().Match(said) is { Success: true } time ? double.Parse(time.Groups[1].Value, CultureInfo.InvariantCulture) : double.NaN, CodeWord().Match(said).Groups[1].Value);
        }
    }

    private static string Row(string who, List<Result> results) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {who} | {Median(results, r => r.PerSecond):F0} | {Median(results, r => r.Lost):F0} | {Median(results, r => r.P50):F3} | {Median(results, r => r.P99):F3} |");

    private static string Ratio(List<Result> agent, List<Result> unbound, Func<Result, double> of) =>
        Metric.Median([.. agent.Zip(unbound, (a, u) => of(a) / of(u))]).ToString("F2", CultureInfo.InvariantCulture);

    private static double Rss(ParkMesh mesh) => mesh.Agents["edge1"].Use().RssKilobytes * 1.024 / 1000;

    private static double Median(List<Result> results, Func<Result, double> of) => Metric.Median(results.ConvertAll(r => of(r)));

    private static async Task StartUnboundAsync(Host host, string listen, IEnumerable<string> records, string zone, CancellationToken stop)
    {
        string file = Path.Combine(host.Lab.Directory, $"unbound-{listen}.conf");
        await File.WriteAllTextAsync(file, $"""
            server:
              interface: {listen}
              num-threads: 2
              access-control: 0.0.0.0/0 allow
              do-daemonize: no
              username: ""
              chroot: ""
              directory: "/tmp"
              pidfile: ""
              use-syslog: no
              module-config: "iterator"
              local-zone: "{zone}" static
            {string.Join('\n', records.Select(record => $"  local-data: \"{record}\""))}

            """, stop);
        host.Start("unbound", ["unbound", "-d", "-c", file]);
    }

    private sealed record Result(double PerSecond, int Lost, double P50, double P99);

    [GeneratedRegex(@"Queries per second:\s+([\d.]+)")]
    private static partial Regex RateLine();

    [GeneratedRegex(@"Queries lost:\s+(\d+)")]
    private static partial Regex LostLine();

    [GeneratedRegex(@"(?m)^> NOERROR .* ([\d.]+)$")]
    private static partial Regex VerboseLine();

    [GeneratedRegex(@"Query time: (\d+) msec")]
    private static partial Regex TimeLine();

    [GeneratedRegex(@"status: (\w+)")]
    private static partial Regex CodeWord();
}
