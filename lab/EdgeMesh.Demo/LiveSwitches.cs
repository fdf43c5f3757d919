using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeMesh.Lab;
using Spectre.Console;

namespace EdgeMesh.Demo;

/// <summary>
/// The network is taken apart and put together again while a pod on edge3 downloads from edge1 and asks it for a page every
/// 20 ms: no request may fail and every download must be whole.
/// </summary>
internal sealed class LiveSwitches(ParkLab park, ParkMesh mesh)
{
    private static readonly TimeSpan StepPatience = TimeSpan.FromSeconds(20);
    private readonly List<string> faults = [];

    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken stop)
    {
        Pod client = park.Edge3.Pods[0];
        ParkService parking = ParkServices.Parking;
        using CancellationTokenSource downloading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        LabProcess requests = client.Host.Start("requests",
        [
            Path.Combine(AppContext.BaseDirectory, "edgemesh-demo"), "requests", $"{parking.ClusterIP}:80", parking.Name, "/", "20",
        ]);
        Task<int> downloads = DownloadAsync(client, parking, downloading.Token, stop);

        await StepAsync("probes between the sites blocked", "relay UDP", () => park.NatA.BlockUdpWithAsync(park.NatB.WanAddress, stop), stop);
        await StepAsync("probes let through", "direct", () => park.NatA.UnblockUdpWithAsync(stop), stop);
        await StepAsync("UDP blocked at NAT B", "relay TLS", () => park.NatB.BlockUdpAsync(stop), stop);
        await StepAsync("UDP let through again", "direct", () => park.NatB.UnblockUdpAsync(stop), stop);
        await StepAsync("server killed", "direct", mesh.KillServerAsync, stop);
        await StepAsync("server back", "direct", () => mesh.StartServerAsync(stop), stop);
        await ParkMesh.UntilAsync("edge3 is connected to the server again", () => IsServerConnectedAsync(stop), stop);

        requests.CloseInput();
        await requests.ExitAsync(stop);
        await downloading.CancelAsync();
        int whole = await downloads;
        Report(requests, whole);
        return faults;
    }

    private async Task StepAsync(string what, string expected, Func<Task> act, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        await act();
        TimeSpan? reached = null;
        int inARow = 0;
        TrafficBytes before = await Traffic.ReadAsync(park.Edge3.Host, stop);
        string seen = "nothing";
        while (Stopwatch.GetElapsedTime(began) < StepPatience && inARow < 8)
        {
            await Task.Delay(250, stop);
            TrafficBytes now = await Traffic.ReadAsync(park.Edge3.Host, stop);
            TrafficBytes used = now - before;
            before = now;
            seen = used.Sum == 0 ? "nothing" : used.PathOf(used.Sum);
            reached = seen == expected ? reached ?? Stopwatch.GetElapsedTime(began) : null;
            inARow = seen == expected ? inARow + 1 : 0;
        }

        string says = await ScenarioPlayer.PeerPathAsync(mesh, park.Edge3, "edge1", stop);
        bool isGood = inARow >= 8 && says == expected;
        AnsiConsole.MarkupLine(isGood
            ? $"  [green]✓[/] {what,-36} → {expected} after {reached!.Value.TotalSeconds:F1} s"
            : $"  [red]✗[/] {what,-36} → expected {expected}, the links say {seen}, the agent says {says}");
        if (!isGood)
        {
            faults.Add($"{what}: expected {expected}, the links say {seen}, the agent says {says}");
        }
    }

    // One download after the other at a rate that leaves the two cores some air; each is checked whole.
    private async Task<int> DownloadAsync(Pod client, ParkService service, CancellationToken noMore, CancellationToken stop)
    {
        int whole = 0;
        while (!noMore.IsCancellationRequested)
        {
            CommandResult download = await client.Host.RunAsync(stop, "bash", "-c",
                $"set -o pipefail; curl -sS -m 120 --limit-rate 12M http://{service.Name}/big | sha256sum");
            if (download.Output.StartsWith(park.BigFileHash, StringComparison.Ordinal))
            {
                whole++;
            }
            else
            {
                faults.Add($"a download broke: {download.Error.Trim()} {download.Output.Trim()}");
            }
        }

        return whole;
    }

    private async Task<bool> IsServerConnectedAsync(CancellationToken stop)
    {
        using JsonDocument status = await mesh.AskAsync(park.Edge3, stop, "status");
        return status.RootElement.GetProperty("servers").EnumerateArray().Any(server => server.GetProperty("connected").GetBoolean());
    }

    private void Report(LabProcess requests, int whole)
    {
        string line = requests.Log().Split('\n').LastOrDefault(text => text.StartsWith('{')) ?? "{}";
        RequestLoop.Outcome? outcome = JsonSerializer.Deserialize<RequestLoop.Outcome>(line);
        if (outcome is null || outcome.Sent == 0 || outcome.Failed > 0)
        {
            faults.Add($"requests: {outcome?.Failed.ToString(CultureInfo.InvariantCulture) ?? "all"} of {outcome?.Sent} failed; first: {outcome?.FirstFailure}");
        }

        AnsiConsole.MarkupLine(CultureInfo.InvariantCulture,
            "  {0} requests, [{1}]{2} failed[/], slowest {3:F0} ms; {4} downloads of {5} MB whole",
            outcome?.Sent ?? 0, outcome?.Failed == 0 ? "green" : "red", outcome?.Failed ?? 0, outcome?.SlowestMilliseconds ?? 0, whole, ParkLab.BigFileMegabytes);
    }
}
