using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>A site at the end of a line with delay, loss and a rate: how soon it is direct, and what of the line the mesh uses beside the kernel's TCP with BBR.</summary>
internal static class FarBench
{
    private const int Pairs = 3;
    private const int Seconds = 6;
    private const int Starts = 5;
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(10);

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop, farB: Line(0, 0));
        ParkMesh mesh = new(park, binary);
        await mesh.StartAllAsync(stop);
        park.Cloud.Host.Start("iperf3-bbr", ["iperf3", "-s", "-p", "5299"]);
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # A distant site
            Made by `edgemesh-bench far` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores. Site B hangs on a line of {2 * OneWay.TotalMilliseconds:F0} ms round trip (a user-space box in the place of netem).

            ## From the first packet to a direct path
            edge3 to edge1 through two NATs, both agents started anew each time; from the first connection's SYN until the path is direct, and that first connection's own time to its
            first byte. Median and longest of {Starts}.

            | | median, ms | longest, ms |
            |---|---:|---:|
            """);
        text.Append(await DirectAsync(park, mesh, stop));
        text.AppendLine(CultureInfo.InvariantCulture, $"""

            ## How much of the line is used
            One stream of {Seconds} s from a pod of edge3 to a pod of the cloud node by Service, on the direct path, and beside it the kernel's TCP with BBR from edge3 to the cloud
            node, in turn; medians of {Pairs} pairs, Mbit/s.

            | line | loss each way | mesh | kernel TCP BBR | ratio |
            |---|---:|---:|---:|---:|
            """);
        foreach ((int rate, double loss) in ((int, double)[])[(100, 0), (100, 0.001), (500, 0), (500, 0.001), (500, 0.01)])
        {
            await park.FarB!.SetAsync(Line(rate, loss));
            text.AppendLine(await ShareAsync(park, rate, loss, stop));
        }

        return text.ToString();
    }

    private static Shape Line(int rate, double loss) => new(OneWay, loss, rate, TimeSpan.FromMilliseconds(50));

    private static async Task<string> DirectAsync(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        List<double> direct = [];
        List<double> first = [];
        for (int i = 0; i < Starts; i++)
        {
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} start {i + 1}");
            foreach (Node node in (Node[])[park.Edge1, park.Edge3])
            {
                mesh.Agents[node.Name].Signal("TERM");
                await mesh.Agents[node.Name].ExitAsync(stop);
                File.Delete(Path.Combine(mesh.StateOf(node.Name), "peers.json"));
            }

            await mesh.StartAgentAsync(park.Edge1, stop);
            await mesh.StartAgentAsync(park.Edge3, stop);
            await mesh.ReadyAsync(park.Edge1, stop);
            await mesh.ReadyAsync(park.Edge3, stop);
            await Task.Delay(2000, stop);
            Task<string> ping = park.Edge3.Host.MustAsync(
                stop, mesh.Binary, "ping", "edge1", "--until-direct", "--within", "20", "--state-dir", mesh.StateOf("edge3"), "--json");
            long began = Stopwatch.GetTimestamp();
            string time = await park.Edge3.Pods[1].Host.MustAsync(
                stop, "curl", "-s", "-o", "/dev/null", "-w", "%{time_starttransfer}", "-m", "10", $"http://{ParkServices.Video.ClusterIP}/");
            first.Add(double.Parse(time, CultureInfo.InvariantCulture) * 1000);
            string last = (await ping).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
            using JsonDocument report = JsonDocument.Parse(last);
            direct.Add(report.RootElement.GetProperty("elapsedMs").GetDouble());
        }

        return string.Create(CultureInfo.InvariantCulture, $"""
            | direct path | {Metric.Median(direct):F0} | {direct.Max():F0} |
            | first byte of the first connection | {Metric.Median(first):F0} | {first.Max():F0} |

            """);
    }

    private static async Task<string> ShareAsync(ParkLab park, int rate, double loss, CancellationToken stop)
    {
        List<double> mesh = [];
        List<double> kernel = [];
        for (int i = 0; i < Pairs; i++)
        {
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {rate} Mbit/s, loss {loss}, pair {i + 1}");
            mesh.Add(await RateAsync(park.Edge3.Pods[1].Host, stop, ParkServices.Face.ClusterIP, "-p", $"{ParkServices.IperfPort}"));
            kernel.Add(await RateAsync(park.Edge3.Host, stop, ParkLab.ServerAddress, "-p", "5299", "-C", "bbr"));
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"| {rate} Mbit/s | {loss * 100:0.#} % | {Metric.Median(mesh):F0} | {Metric.Median(kernel):F0} | {Metric.Median([.. mesh.Zip(kernel, (m, k) => m / k)]):F2} |");
    }

    private static async Task<double> RateAsync(Host from, CancellationToken stop, params string[] to)
    {
        string report = await from.MustAsync(stop, ["iperf3", "-c", .. to, "-t", $"{Seconds}", "-O", "1", "-J"]);
        using JsonDocument document = JsonDocument.Parse(report);
        return document.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 1e6;
    }
}
