using System.Globalization;
using System.Text.Json;
using EdgeMesh.Lab;
using EdgeMesh.Lab.Workloads;
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
            Path.Combine(AppContext.BaseDirectory, "edgemesh-lab"), "requests", $"{parking.ClusterIP}:80", parking.Name, "/", "20",
        ]);
        Task<int> downloads = DownloadAsync(client, parking, downloading.Token, stop);
        foreach (PathSwitch change in PathSwitch.All(park, mesh, stop))
        {
            await PlayAsync(change, stop);
        }

        await ParkMesh.UntilAsync("edge3 is connected to the server again", () => IsServerConnectedAsync(stop), stop);

        requests.CloseInput();
        await requests.ExitAsync(stop);
        await downloading.CancelAsync();
        int whole = await downloads;
        Report(requests, whole);
        return faults;
    }

    private async Task PlayAsync(PathSwitch change, CancellationToken stop)
    {
        (double? seconds, string seen) = await change.PlayAsync(park, StepPatience, stop);
        string says = await mesh.PeerPathAsync(park.Edge3, "edge1", stop);
        if (seconds is not null && says == change.ExpectedPath)
        {
            AnsiConsole.MarkupLine(CultureInfo.InvariantCulture, "  [green]✓[/] {0,-36} → {1} after {2:F1} s", change.What, change.ExpectedPath, seconds);
            return;
        }

        string fault = $"{change.What}: expected {change.ExpectedPath}, the links say {seen}, the agent says {says}";
        AnsiConsole.MarkupLineInterpolated($"  [red]✗ {fault}[/]");
        faults.Add(fault);
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
        RequestOutcome? outcome = JsonSerializer.Deserialize<RequestOutcome>(line);
        if (outcome is null || outcome.Sent == 0 || outcome.Failed > 0)
        {
            faults.Add($"requests: {outcome?.Failed.ToString(CultureInfo.InvariantCulture) ?? "all"} of {outcome?.Sent} failed; first: {outcome?.FirstFailure}");
        }

        AnsiConsole.MarkupLine(CultureInfo.InvariantCulture,
            "  {0} requests, [{1}]{2} failed[/], slowest {3:F0} ms; {4} downloads of {5} MB whole",
            outcome?.Sent ?? 0, outcome?.Failed == 0 ? "green" : "red", outcome?.Failed ?? 0, outcome?.SlowestMilliseconds ?? 0, whole, ParkLab.BigFileMegabytes);
    }
}
