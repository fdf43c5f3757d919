using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Bench;

/// <summary>What a Service costs beside the pod's own address, with few and with many Services, and what very many clients cost.</summary>
internal static class ProxyBench
{
    private const int Pairs = 9;
    private const int Seconds = 2;
    internal static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    /// <param name="binary">The edgemesh executable.</param>
    /// <param name="numbers">Numbers of Services to measure a connection on the same node with.</param>
    /// <param name="parts">Some of <c>same-node</c>, <c>faults</c>, <c>crowd</c>.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<string> RunAsync(string binary, int[] numbers, string[] parts, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop);
        ParkMesh mesh = new(park, binary);
        await mesh.StartAllAsync(stop);
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # The Service proxy
            Made by `edgemesh-bench proxy` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores.
            """);
        if (parts.Contains("same-node"))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"""

                ## The same node
                A pod of edge1 and another one there, by pod IP and by Service, one after the other, {Pairs} pairs of {Seconds} s each; medians, and
                the median of the pairs' ratios.

                | Services on the node | Gbit/s by pod IP | by Service | ratio | new connections/s by pod IP | by Service | ratio |
                |---:|---:|---:|---:|---:|---:|---:|
                """);
            foreach (int services in numbers)
            {
                await WriteServicesAsync(park, mesh, services, stop);
                text.AppendLine(await SameNodeAsync(park, services, stop));
            }
        }

        if (parts.Contains("faults"))
        {
            text.Append(await ProxyFaults.RunAsync(park, mesh, stop));
        }

        if (parts.Contains("crowd"))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"""

                ## Many clients
                Of edge3, through the tunnel to edge1; RSS of the agents, the client's first.

                | | answered | failed | RSS before, MB | RSS with them, MB |
                |---|---:|---:|---:|---:|
                """);
            // Each UDP port of a Service with endpoints elsewhere holds a file, and 20,000 is all there may be here.
            await WriteServicesAsync(park, mesh, 10, stop);
            text.AppendLine(await CrowdAsync(park, mesh, "15,000 idle TCP connections", "hold", ParkServices.TcpEchoPort, 15_000, stop));
            text.AppendLine(await CrowdAsync(park, mesh, "10,000 UDP flows", "udp-flows", ParkServices.UdpEchoPort, 10_000, stop));
        }

        return text.ToString();
    }

    private static async Task<string> SameNodeAsync(ParkLab park, int services, CancellationToken stop)
    {
        Pod client = park.Edge1.Pods[1];
        (string pod, string service) = (park.Edge1.Pods[0].Address, ParkServices.Video.ClusterIP);
        List<(double Pod, double Service)> speed = [];
        List<(double Pod, double Service)> connects = [];
        for (int i = 0; i < Pairs; i++)
        {
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {services} Services, pair {i + 1}");
            speed.Add(await BothAsync(address => ThroughputAsync(client, address, stop), i));
            connects.Add(await BothAsync(address => ConnectAsync(client, address, stop), i));
        }

        return string.Create(CultureInfo.InvariantCulture, $"| {services} | {Row(speed, "F2")} | {Row(connects, "F0")} |");

        // Each comes first half of the time.
        async Task<(double, double)> BothAsync(Func<string, Task<double>> measure, int pair)
        {
            double first = await measure(pair % 2 == 0 ? pod : service);
            double second = await measure(pair % 2 == 0 ? service : pod);
            return pair % 2 == 0 ? (first, second) : (second, first);
        }

        static string Row(List<(double Pod, double Service)> pairs, string format) => string.Join(
            " | ", Metric.Median(pairs.ConvertAll(p => p.Pod)).ToString(format, CultureInfo.InvariantCulture),
            Metric.Median(pairs.ConvertAll(p => p.Service)).ToString(format, CultureInfo.InvariantCulture),
            Metric.Median(pairs.ConvertAll(p => p.Service / p.Pod)).ToString("F2", CultureInfo.InvariantCulture));
    }

    private static async Task<double> ThroughputAsync(Pod client, string address, CancellationToken stop)
    {
        string report = await client.Host.MustAsync(
            stop, "iperf3", "-c", address, "-p", $"{ParkServices.IperfPort}", "-t", $"{Seconds}", "-J");
        using JsonDocument document = JsonDocument.Parse(report);
        return document.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 1e9;
    }

    private static async Task<double> ConnectAsync(Pod client, string address, CancellationToken stop) => JsonSerializer.Deserialize<TcpLoadOutcome>(
        await client.Host.MustAsync(stop, Tool, "connect-rate", $"{address}:{ParkServices.TcpEchoPort}", "32", $"{Seconds}"))!.PerSecond;

    private static async Task<string> CrowdAsync(ParkLab park, ParkMesh mesh, string what, string verb, int port, int count, CancellationToken stop)
    {
        Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");
        (long Near, long Far) before = Resident();
        DateTime latest = DateTime.UtcNow.AddMinutes(2);
        LabProcess clients = park.Edge3.Pods[0].Host.Start(
            verb, [Tool, verb, $"{ParkServices.Parking.ClusterIP}:{port}", count.ToString(CultureInfo.InvariantCulture)]);
        while (!clients.Log().Contains("held", StringComparison.Ordinal))
        {
            if (DateTime.UtcNow > latest)
            {
                throw new LabException($"{what} are not up within two minutes: {mesh.Agents["edge3"].Log()} {mesh.Agents["edge1"].Log()}");
            }

            await Task.Delay(200, stop);
        }

        await Task.Delay(2000, stop);
        (long Near, long Far) now = Resident();
        string[] said = clients.Log().Split('\n').First(line => line.StartsWith("held", StringComparison.Ordinal)).Split(' ');
        clients.CloseInput();
        await clients.ExitAsync(stop);
        await Task.Delay(5000, stop);
        return string.Create(
            CultureInfo.InvariantCulture, $"| {what} | {said[1]} | {string.Join(' ', said[3..]).TrimEnd()} | {Megabytes(before.Near)}, {Megabytes(before.Far)} | {Megabytes(now.Near)}, {Megabytes(now.Far)} |");

        (long, long) Resident() => (mesh.Agents["edge3"].Use().RssKilobytes, mesh.Agents["edge1"].Use().RssKilobytes);

        static string Megabytes(long kilobytes) => (kilobytes * 1.024 / 1000).ToString("F1", CultureInfo.InvariantCulture);
    }

    private static async Task WriteServicesAsync(ParkLab park, ParkMesh mesh, int count, CancellationToken stop)
    {
        StringBuilder yaml = new();
        for (int i = 0; i < count; i++)
        {
            ParkService service = new($"s{i}", $"10.100.{i / 250}.{(i % 250) + 1}", ("edge1", "172.17.0.2"), ("edge3", "172.17.0.2"));
            yaml.Append(ParkServices.Yaml(service)).Append("---\n");
        }

        await File.WriteAllTextAsync(Path.Combine(mesh.ManifestsOf("edge1"), "many.yaml"), yaml.ToString(), stop);
        await ParkMesh.UntilAsync($"{count} Services are served", async () => (await park.Edge1.Pods[1].Host.RunAsync(
            stop, "curl", "-sf", "-m", "1", "-o", "/dev/null", $"http://10.100.{(count - 1) / 250}.{((count - 1) % 250) + 1}/")).Succeeded, stop);
    }
}
