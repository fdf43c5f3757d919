using System.Diagnostics;
using EdgeMesh.Lab;
using Spectre.Console;

namespace EdgeMesh.Demo;

/// <summary>The main job: the park, the three scenarios by name, and the live switches. Exit status 0 only if every verdict holds.</summary>
internal static class Demo
{
    // A table that is cut to 80 columns is no table any more; a terminal may wrap it, a log shows it whole.
    private const int MinWidth = 150;

    public static async Task<int> RunAsync(string binary, bool keep, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, MinWidth);
        AnsiConsole.MarkupLine("[bold]The park[/]: cloud on the internet, edge1 and edge2 behind NAT A, edge3 behind NAT B; every node has pods 172.17.0.2 and 172.17.0.3");
        await using ParkLab park = await ParkLab.CreateAsync(NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop, stop, keep);
        ParkMesh mesh = new(park, binary);
        List<string> faults = [];
        try
        {
            await mesh.StartAllAsync(stop);
            AnsiConsole.MarkupLine($"  park, server and four agents up after {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s");
            faults.AddRange(await ScenariosAsync(park, mesh, stop));
            AnsiConsole.MarkupLine("\n[bold]Live[/]: edge3 downloads from edge1 and asks it for a page every 20 ms");
            faults.AddRange(await new LiveSwitches(park, mesh).RunAsync(stop));
        }
        catch (LabException error)
        {
            faults.Add(error.Message);
        }

        foreach (string fault in faults)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{fault}[/]");
        }

        if (keep)
        {
            PrintHosts(park);
        }
        else if (faults.Count > 0)
        {
            AnsiConsole.MarkupLine("[bold]make demo KEEP=1[/] leaves the park and its logs up to look at");
        }

        AnsiConsole.MarkupLine(faults.Count == 0
            ? $"[green]every verdict holds[/] ({Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s)"
            : $"[red]{faults.Count} verdicts do not hold[/] ({Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s)");
        return faults.Count == 0 ? 0 : 1;
    }

    private static async Task<IEnumerable<string>> ScenariosAsync(ParkLab park, ParkMesh mesh, CancellationToken stop)
    {
        Scenario[] scenarios =
        [
            new("same node: edge1 → edge1", park.Edge1.Pods[1], ParkServices.Video, "kernel"),
            new("1 video: edge2 → edge1, one subnet", park.Edge2.Pods[1], ParkServices.Video, "LAN"),
            new("2 parking: edge3 → edge1, across NATs", park.Edge3.Pods[1], ParkServices.Parking, "direct"),
            new("3 face: edge3 → cloud", park.Edge3.Pods[0], ParkServices.Face, "direct"),
            new("3 display: cloud → edge3", park.Cloud.Pods[1], ParkServices.Display, "direct"),
        ];
        Table table = new Table().Border(TableBorder.Rounded).AddColumns(
            "scenario", "name", "DNS answer", "path (links)", "first byte", "throughput", "UDP echo", "verdict");
        List<string> faults = [];
        ScenarioPlayer player = new(park, mesh);
        foreach (Scenario scenario in scenarios)
        {
            ScenarioOutcome outcome = await player.PlayAsync(scenario, stop);
            faults.AddRange(outcome.Faults.Select(fault => $"{scenario.Title}: {fault}"));
            table.AddRow(
                scenario.Title, outcome.Name, outcome.DnsAnswer, outcome.Path, $"{outcome.FirstByteMilliseconds:F1} ms",
                $"{outcome.GigabitsPerSecond:F2} Gbit/s", outcome.Udp, outcome.Faults.Count == 0 ? "[green]holds[/]" : "[red]fails[/]");
        }

        AnsiConsole.Write(table);
        return faults;
    }

    private static void PrintHosts(ParkLab park)
    {
        AnsiConsole.MarkupLine($"\nleft up; enter a host with one of these, take it down with [bold]{Path.Combine(AppContext.BaseDirectory, "edgemesh-lab")} clean[/]");
        foreach (Node node in park.Nodes)
        {
            AnsiConsole.WriteLine($"  ip netns exec {node.Host.Namespace} bash    # {node.Name}, logs in {park.Lab.Directory}");
            foreach (Pod pod in node.Pods)
            {
                AnsiConsole.WriteLine($"  ip netns exec {pod.Host.Namespace} bash    # pod {pod.Name} of {node.Name}, {pod.Address}");
            }
        }
    }
}
