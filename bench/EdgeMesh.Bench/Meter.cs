using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Bench;

/// <summary>Takes one sample of a way with real clients in its pod: iperf3, wrk and the lab's own load verbs.</summary>
internal sealed partial class Meter(Way way, int seconds)
{
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    public async Task<Sample> TakeAsync(CancellationToken stop)
    {
        await way.Prepare(stop);
        int failures = 0;
        (double fresh, double cpu) = await ThroughputAsync(1, stop);
        RequestOutcome small = await LoadAsync<RequestOutcome>(stop, "many-requests", At(ParkServices.HttpPort), "bench", "/", "20", "10000", "0");
        failures += small.Failed;
        (double after, _) = await ThroughputAsync(1, stop);
        (double eight, _) = await ThroughputAsync(8, stop);
        (double p50, double p99, double rate) = await RequestsAsync(1, stop);
        (_, double manyP99, double many) = await RequestsAsync(64, stop);
        TcpLoadOutcome connects = await LoadAsync<TcpLoadOutcome>(stop, "connect-rate", At(ParkServices.TcpEchoPort), "32", $"{seconds}");
        failures += connects.Failed;
        UdpBurstOutcome? echo = null;
        UdpBurstOutcome? burst = null;
        if (way.HasUdp)
        {
            echo = await LoadAsync<UdpBurstOutcome>(stop, "udp-burst", At(ParkServices.UdpEchoPort), "1000", "500", "100");
            burst = await LoadAsync<UdpBurstOutcome>(stop, "udp-burst", At(ParkServices.UdpEchoPort), "3000", "10000", "100");
        }

        return new Sample
        {
            Fresh = fresh,
            CpuPerGigabyte = cpu,
            AfterSmall = after,
            EightStreams = eight,
            KeepAliveP50 = p50,
            KeepAliveP99 = p99,
            KeepAliveRate = rate,
            ManyRate = many,
            ManyP99 = manyP99,
            ConnectRate = connects.PerSecond,
            ConnectP99 = connects.P99,
            UdpP50 = echo?.P50 ?? double.NaN,
            UdpLost = burst?.Lost ?? double.NaN,
            Failures = failures,
        };
    }

    private string At(int port) => $"{way.Address}:{way.PortOf(port)}";

    private double Cpu() => way.Carriers().Sum(process => process.Use().CpuSeconds);

    private async Task<(double Gigabits, double CpuPerGigabyte)> ThroughputAsync(int streams, CancellationToken stop)
    {
        double before = Cpu();
        string report = await way.Client.Host.MustAsync(
            stop, "iperf3", "-c", way.Address, "-p", $"{way.PortOf(ParkServices.IperfPort)}", "-t", $"{seconds}", "-P", $"{streams}", "-J");
        using JsonDocument document = JsonDocument.Parse(report);
        JsonElement received = document.RootElement.GetProperty("end").GetProperty("sum_received");
        double gigabytes = received.GetProperty("bytes").GetDouble() / 1e9;
        return (received.GetProperty("bits_per_second").GetDouble() / 1e9, (Cpu() - before) / gigabytes);
    }

    private async Task<(double P50, double P99, double Rate)> RequestsAsync(int connections, CancellationToken stop)
    {
        string text = await way.Client.Host.MustAsync(
            stop, "wrk", "-t1", $"-c{connections}", $"-d{seconds}", "--latency", $"http://{At(ParkServices.HttpPort)}/");
        return (Milliseconds(text, "50%"), Milliseconds(text, "99%"),
            double.Parse(RateLine().Match(text).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private static double Milliseconds(string report, string percentile)
    {
        Match match = Regex.Match(report, $@"^\s+{percentile}\s+([\d.]+)(us|ms|s)", RegexOptions.Multiline);
        double value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch { "us" => value / 1000, "ms" => value, _ => value * 1000 };
    }

    private async Task<T> LoadAsync<T>(CancellationToken stop, params string[] verb) =>
        JsonSerializer.Deserialize<T>(await way.Client.Host.MustAsync(stop, [Tool, .. verb]))!;

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex RateLine();
}
