using System.Globalization;
using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Demo;

/// <summary>Plays a scenario with the programs an operator has: <c>dig</c>, <c>curl</c>, a UDP client. The path is read from the link's counters.</summary>
internal sealed class ScenarioPlayer(ParkLab park, ParkMesh mesh)
{
    private const int Datagrams = 300;
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "edgemesh-lab");

    public async Task<ScenarioOutcome> PlayAsync(Scenario scenario, CancellationToken stop)
    {
        List<string> faults = [];
        string shortName = scenario.Service.Name;
        string announced = $"{shortName}.cluster.local.service";
        string dns = await LookUpAsync(scenario, $"{shortName}.default.svc.cluster.local", faults, stop);
        await LookUpAsync(scenario, announced, faults, stop);

        double firstByte = await CallAsync(scenario, shortName, faults, stop);
        await CallAsync(scenario, announced, faults, stop);
        await SettleAsync(scenario, stop);

        Host link = scenario.Client.Node.Host;
        TrafficBytes before = await Traffic.ReadAsync(link, stop);
        double speed = await DownloadAsync(scenario, announced, faults, stop);
        TrafficBytes used = await Traffic.ReadAsync(link, stop) - before;
        string path = used.PathOf(ParkLab.BigFileMegabytes * 1024L * 1024);
        string says = await AgentSaysAsync(scenario, stop);
        string udp = await UdpAsync(scenario, faults, stop);
        if (path != scenario.ExpectedPath)
        {
            faults.Add($"the links say {path} ({used}), expected {scenario.ExpectedPath}");
        }

        if (says != path)
        {
            faults.Add($"the agent says {says}, the links say {path}");
        }

        return new ScenarioOutcome(scenario, announced, dns, path, says, firstByte, speed, udp, faults);
    }

    private static async Task<string> LookUpAsync(Scenario scenario, string name, List<string> faults, CancellationToken stop)
    {
        string answer = (await scenario.Client.Host.RunAsync(stop, "dig", "+short", "+time=2", "+tries=2", name)).Output.Trim();
        if (answer != scenario.Service.ClusterIP)
        {
            faults.Add($"dig {name}: '{answer}', expected {scenario.Service.ClusterIP}");
        }

        return answer;
    }

    private static async Task<double> CallAsync(Scenario scenario, string name, List<string> faults, CancellationToken stop)
    {
        CommandResult call = await scenario.Client.Host.RunAsync(
            stop, "curl", "-sS", "-m", "10", "-w", "\n%{time_starttransfer}", $"http://{name}/");
        string[] lines = call.Output.Trim().Split('\n');
        (string node, string _) = scenario.Service.Pods[0];
        if (!call.Succeeded || !lines[0].StartsWith(node + "/", StringComparison.Ordinal))
        {
            faults.Add($"curl http://{name}/: {(call.Succeeded ? $"'{lines[0]}' is not of {node}" : call.Error.Trim())}");
            return 0;
        }

        return double.Parse(lines[^1], CultureInfo.InvariantCulture) * 1000;
    }

    private async Task SettleAsync(Scenario scenario, CancellationToken stop)
    {
        string peer = scenario.Service.Pods[0].Node;
        if (peer != scenario.Client.Node.Name)
        {
            await ParkMesh.UntilAsync($"{scenario.Client.Node.Name} reaches {peer} by {scenario.ExpectedPath}",
                async () => await mesh.PeerPathAsync(scenario.Client.Node, peer, stop) == scenario.ExpectedPath, stop);
        }
    }

    private async Task<double> DownloadAsync(Scenario scenario, string name, List<string> faults, CancellationToken stop)
    {
        CommandResult download = await scenario.Client.Host.RunAsync(stop, "bash", "-c",
            $"set -o pipefail; curl -sS -m 60 -w '%{{stderr}}%{{speed_download}}' http://{name}/big | sha256sum");
        if (!download.Output.StartsWith(park.BigFileHash, StringComparison.Ordinal))
        {
            faults.Add($"download of http://{name}/big: {download.Error.Trim()} {download.Output.Trim()}");
            return 0;
        }

        return double.Parse(download.Error.Trim(), CultureInfo.InvariantCulture) * 8 / 1e9;
    }

    private async Task<string> AgentSaysAsync(Scenario scenario, CancellationToken stop)
    {
        string peer = scenario.Service.Pods[0].Node;
        return peer == scenario.Client.Node.Name ? "kernel" : await mesh.PeerPathAsync(scenario.Client.Node, peer, stop);
    }

    private static async Task<string> UdpAsync(Scenario scenario, List<string> faults, CancellationToken stop)
    {
        CommandResult burst = await scenario.Client.Host.RunAsync(stop, Tool, "udp-burst",
            $"{scenario.Service.ClusterIP}:{ParkServices.UdpEchoPort}", $"{Datagrams}", "1000", "512");
        int received = burst.Succeeded ? JsonDocument.Parse(burst.Output).RootElement.GetProperty("Received").GetInt32() : 0;
        if (received != Datagrams)
        {
            faults.Add($"UDP echo: {received} of {Datagrams} came back {burst.Error.Trim()}");
        }

        return $"{received}/{Datagrams}";
    }
}
