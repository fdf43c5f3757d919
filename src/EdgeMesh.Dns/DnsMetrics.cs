using System.Diagnostics.Metrics;

namespace EdgeMesh.Dns;

internal static class DnsMetrics
{
    private static readonly Meter Meter = new("EdgeMesh.Dns");

    private static readonly string[] Types = ["A", "AAAA", "SRV", "PTR", "TXT", "CNAME", "NS", "SOA", "HTTPS", "MX", "other"];
    private static readonly string[] Rcodes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "other"];
    private static readonly string[] Sources = ["none", "cluster", "cache", "stale", "upstream"];

    // Plain counters that are read when somebody looks: an instrument with three labels per query would cost more than the answer.
    private static readonly long[] Queries = new long[Types.Length * Rcodes.Length * Sources.Length];
    private static long silences;
    private static Func<IEnumerable<Measurement<int>>> upstreams = static () => [];

    private static readonly KeyValuePair<string, object?>[] SourceTags = [.. Sources.Select(s => new KeyValuePair<string, object?>("source", s))];

    /// <summary>Seconds from a query to its answer, without the sockets.</summary>
    public static readonly Histogram<double> Latency = Meter.CreateHistogram(
        "edgemesh_dns_seconds", "s", "Time from a query to its answer, by source", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
        });

    /// <summary>Seconds until an upstream answered.</summary>
    public static readonly Histogram<double> UpstreamLatency =
        Meter.CreateHistogram<double>("edgemesh_dns_upstream_seconds", "s", "Time until an upstream answered");

    public static readonly Counter<long> UpstreamFailures =
        Meter.CreateCounter<long>("edgemesh_dns_upstream_failures_total", description: "Attempts at an upstream that gave no answer, by reason");

    public static readonly Counter<long> Shed =
        Meter.CreateCounter<long>("edgemesh_dns_shed_total", description: "Queries and connections turned away at a limit, by limit");

    public static readonly UpDownCounter<long> CacheBytes =
        Meter.CreateUpDownCounter<long>("edgemesh_dns_cache_bytes", "By", "Memory held by cached answers");

    public static readonly UpDownCounter<long> Connections =
        Meter.CreateUpDownCounter<long>("edgemesh_dns_connections", description: "Open TCP connections of clients");

    static DnsMetrics()
    {
        Meter.CreateObservableCounter("edgemesh_dns_queries_total", ObserveQueries, description: "Answers by type, rcode and source");
        Meter.CreateObservableGauge(
            "edgemesh_dns_upstream_up", () => Volatile.Read(ref upstreams)(), description: "1 while a server of upstream or stub domain answers");
        Meter.CreateObservableCounter(
            "edgemesh_dns_ignored_total", () => Volatile.Read(ref silences), description: "Datagrams that deserved no answer");
    }

    public static void CountQuery(ushort type, DnsRcode rcode, AnswerSource source)
    {
        int typeIndex = type switch
        {
            DnsType.A => 0,
            DnsType.Aaaa => 1,
            DnsType.Srv => 2,
            DnsType.Ptr => 3,
            DnsType.Txt => 4,
            DnsType.Cname => 5,
            DnsType.Ns => 6,
            DnsType.Soa => 7,
            65 => 8,
            DnsType.Mx => 9,
            _ => 10,
        };
        int rcodeIndex = Math.Min((int)rcode, Rcodes.Length - 1);
        Interlocked.Increment(ref Queries[(((typeIndex * Rcodes.Length) + rcodeIndex) * Sources.Length) + (int)source]);
    }

    /// <summary>One server at a time runs in a process; the last one is what is observed.</summary>
    public static void ObserveUpstreams(Func<IEnumerable<Measurement<int>>> observe) => Volatile.Write(ref upstreams, observe);

    public static KeyValuePair<string, object?> SourceTag(AnswerSource source) => SourceTags[(int)source];

    public static void CountSilence() => Interlocked.Increment(ref silences);

    private static IEnumerable<Measurement<long>> ObserveQueries()
    {
        for (int i = 0; i < Queries.Length; i++)
        {
            long count = Volatile.Read(ref Queries[i]);
            if (count != 0)
            {
                yield return new Measurement<long>(
                    count,
                    new KeyValuePair<string, object?>("type", Types[i / (Rcodes.Length * Sources.Length)]),
                    new KeyValuePair<string, object?>("rcode", Rcodes[i / Sources.Length % Rcodes.Length]),
                    new KeyValuePair<string, object?>("source", Sources[i % Sources.Length]));
            }
        }
    }
}
