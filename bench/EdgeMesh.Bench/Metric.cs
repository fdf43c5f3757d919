namespace EdgeMesh.Bench;

/// <summary>A line of the report.</summary>
internal sealed record Metric(string Name, string Format, Func<Sample, double> Of)
{
    public static IReadOnlyList<Metric> All { get; } =
    [
        new("throughput, 1 stream, fresh pair, Gbit/s", "F2", s => s.Fresh),
        new("the same after 10,000 small requests, Gbit/s", "F2", s => s.AfterSmall),
        new("throughput, 8 streams, Gbit/s", "F2", s => s.EightStreams),
        new("CPU of all carriers, s/GB", "F2", s => s.CpuPerGigabyte),
        new("1 keep-alive connection, p50, ms", "F3", s => s.KeepAliveP50),
        new("1 keep-alive connection, p99, ms", "F3", s => s.KeepAliveP99),
        new("1 keep-alive connection, requests/s", "F0", s => s.KeepAliveRate),
        new("64 keep-alive connections, requests/s", "F0", s => s.ManyRate),
        new("64 keep-alive connections, p99, ms", "F2", s => s.ManyP99),
        new("new connections/s, 32 at a time", "F0", s => s.ConnectRate),
        new("new connections, p99, ms", "F2", s => s.ConnectP99),
        new("UDP echo, p50, ms", "F3", s => s.UdpP50),
        new("UDP burst of 3,000 at 10,000/s, lost", "F0", s => s.UdpLost),
        new("failures", "F0", s => s.Failures),
    ];

    public static double Median(IEnumerable<double> values)
    {
        double[] ordered = [.. values.Where(v => !double.IsNaN(v)).Order()];
        return ordered.Length == 0 ? double.NaN : ordered[ordered.Length / 2];
    }
}
