using System.Globalization;
using System.Text;

namespace EdgeMesh.Bench;

/// <summary>The report as Markdown: a table per place, medians, and each carrier's ratio to no mesh in the same run.</summary>
internal static class Report
{
    public static string Write(IReadOnlyDictionary<Way, List<Sample>> samples, Footprint footprint, BenchOptions options)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # The mesh beside no mesh and TLS over TCP
            Made by `make bench` (`bench/EdgeMesh.Bench`) on {DateTime.UtcNow:yyyy-MM-dd}: {Environment.ProcessorCount} cores, {Machine()}. Medians of {options.Rounds} rounds, {options.Seconds} s a load; in every round all ways are
            measured one after the other in one lab. Everything shares these cores: both pods, their clients, both agents, routers and server. *No mesh* is a published port (DNAT at the node, and at the NAT router);
            *TLS over TCP* is a pair of forwarders with one TLS 1.3 connection per connection. In brackets: ratio to no mesh in this run.

            """);
        foreach (IGrouping<string, Way> place in samples.Keys.GroupBy(way => way.Place))
        {
            WriteTable(text, place.Key, [.. place], samples);
        }

        WriteFootprint(text, footprint, new FileInfo(options.Binary).Length);
        return text.ToString();
    }

    private static void WriteTable(StringBuilder text, string place, Way[] ways, IReadOnlyDictionary<Way, List<Sample>> samples)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"## {char.ToUpperInvariant(place[0])}{place[1..]}");
        text.AppendLine(CultureInfo.InvariantCulture, $"| | {string.Join(" | ", ways.Select(way => way.Carrier))} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|---|{string.Concat(ways.Select(_ => "---:|"))}");
        foreach (Metric metric in Metric.All)
        {
            double reference = ways[0].Carrier == "no mesh" ? Metric.Median(samples[ways[0]].Select(metric.Of)) : double.NaN;
            IEnumerable<string> cells = ways.Select(way =>
            {
                double value = Metric.Median(samples[way].Select(metric.Of));
                if (double.IsNaN(value))
                {
                    return "–";
                }

                string cell = value.ToString(metric.Format, CultureInfo.InvariantCulture);
                return way != ways[0] && reference > 0 && value > 0 ? string.Create(CultureInfo.InvariantCulture, $"{cell} ({value / reference:F2})") : cell;
            });
            text.AppendLine(CultureInfo.InvariantCulture, $"| {metric.Name} | {string.Join(" | ", cells)} |");
        }

        text.AppendLine();
    }

    private static void WriteFootprint(StringBuilder text, Footprint footprint, long binary)
    {
        static string Megabytes(long kilobytes) => (kilobytes * 1.024 / 1000).ToString("F1", CultureInfo.InvariantCulture);
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            ## Footprint
            | | |
            |---|---:|
            | idle agent (the largest of four), RSS, MB | {Megabytes(footprint.Agent.RssKilobytes)} |
            | of it anonymous (RssAnon), MB | {Megabytes(footprint.Agent.RssAnonKilobytes)} |
            | idle server with four agents, RSS, MB | {Megabytes(footprint.Server.RssKilobytes)} |
            | of it anonymous, MB | {Megabytes(footprint.Server.RssAnonKilobytes)} |
            | largest agent at rest after all rounds, RSS, MB | {Megabytes(footprint.AgentAfter.RssKilobytes)} |
            | server at rest after all rounds, RSS, MB | {Megabytes(footprint.ServerAfter.RssKilobytes)} |
            | binary, MB | {binary / 1e6:F1} |
            | start of an agent's process to the first answer across two NATs, s | {Metric.Median(footprint.FirstAnswer):F2} |
            | first packet to the direct path, s | {Metric.Median(footprint.Direct):F2} |
            """);
    }

    private static string Machine()
    {
        string model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
        return $"{model}, Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";
    }
}
