using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;

namespace EdgeMesh.Tests.Lab.Lab;

/// <summary>A wire delays, loses and limits, and can be changed while traffic flows.</summary>
public class WireTests
{
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    [Fact]
    public async Task DelaysLosesAndLimits()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        CancellationToken stop = limit.Token;
        await using EdgeMesh.Lab.Lab lab = await EdgeMesh.Lab.Lab.CreateAsync(stop);
        Switch left = await lab.AddSwitchAsync("left", stop);
        Switch right = await lab.AddSwitchAsync("right", stop);
        Host a = await lab.AddHostAsync("a", left, "10.9.0.1/24", null, stop);
        Host b = await lab.AddHostAsync("b", right, "10.9.0.2/24", null, stop);
        Wire wire = await lab.WireAsync("wan", left, right, new Shape(TimeSpan.FromMilliseconds(10), 0, 0, TimeSpan.FromSeconds(1)), stop);
        b.Start("echo", [Tool, "echo-udp", "10.9.0.2:7002"]);
        b.Start("iperf3", ["iperf3", "-s"]);

        await ParkMesh.UntilAsync("the echo server answers", async () => (await BurstAsync(a, 5, stop)).Received == 5, stop);
        UdpBurstOutcome delayed = await BurstAsync(a, 50, stop);
        await wire.SetAsync(new Shape(TimeSpan.Zero, 0, 0, TimeSpan.FromSeconds(1)));
        UdpBurstOutcome quick = await BurstAsync(a, 50, stop);
        Assert.Equal((50, 50), (delayed.Received, quick.Received));
        Assert.True(delayed.P50 >= 18 && quick.P50 < delayed.P50, $"{delayed} then {quick}");

        await wire.SetAsync(new Shape(TimeSpan.Zero, 0.2, 0, TimeSpan.FromSeconds(1)));
        UdpBurstOutcome lossy = await BurstAsync(a, 1000, stop);
        Assert.InRange(lossy.Lost, 240, 480); // 36 % over both ways

        await wire.SetAsync(new Shape(TimeSpan.Zero, 0, 20, TimeSpan.FromMilliseconds(50)));
        string report = await a.MustAsync(stop, "iperf3", "-c", "10.9.0.2", "-t", "2", "-J");
        double bits = JsonDocument.Parse(report).RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble();
        Assert.InRange(bits / 1e6, 2, 21);
    }

    private static async Task<UdpBurstOutcome> BurstAsync(Host from, int count, CancellationToken stop) => JsonSerializer.Deserialize<UdpBurstOutcome>(
        await from.MustAsync(stop, Tool, "udp-burst", "10.9.0.2:7002", $"{count}", "500", "100"))!;
}
