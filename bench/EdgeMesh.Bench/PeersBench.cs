using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeMesh.Lab;
using Switch = EdgeMesh.Lab.Switch;

namespace EdgeMesh.Bench;

/// <summary>One agent with many connected peers: its memory and what it costs at rest. All of them real agents on one LAN.</summary>
internal static class PeersBench
{
    private const int Peers = 100;
    private const string Server = "10.0.0.1";
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromMinutes(3);

    public static async Task<string> RunAsync(string binary, CancellationToken stop)
    {
        await using Lab.Lab lab = await Lab.Lab.CreateAsync(stop);
        Switch lan = await lab.AddSwitchAsync("lan", stop);
        Host server = await lab.AddHostAsync("server", lan, $"{Server}/16", null, stop);
        string state = Path.Combine(lab.Directory, "server");
        server.Start("server", [binary, "server", "--state-dir", state, "--listen", "0.0.0.0:20006", "--advertise", Server]);
        await ParkMesh.UntilAsync("the server answers", async () =>
            (await server.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20009/readyz")).Succeeded, stop);
        string token = Path.Combine(lab.Directory, "token");
        await File.WriteAllTextAsync(token, await server.MustAsync(stop, binary, "token", "create", "--uses", $"{Peers + 1}", "--state-dir", state), stop);
        string manifests = Path.Combine(lab.Directory, "manifests");
        Directory.CreateDirectory(manifests);
        await File.WriteAllTextAsync(Path.Combine(manifests, "service.yaml"), ParkServices.Yaml(new ParkService("one", "10.96.0.21", ("hub", "172.17.0.2"))), stop);

        (Node hub, LabProcess agent) = await StartAsync("hub", 1);
        await ReadyAsync(hub);
        await Task.Delay(Rest, stop);
        ProcessUse alone = agent.Use();
        List<Node> others = [];
        for (int i = 0; i < Peers; i++)
        {
            others.Add((await StartAsync($"edge{i}", 2 + i)).Node);
        }

        foreach (Node other in others)
        {
            await ReadyAsync(other);
            await hub.Host.MustAsync(stop, binary, "ping", other.Name, "--count", "1", "--state-dir", StateOf("hub"));
        }

        Stopwatch waited = Stopwatch.StartNew();
        while (await DirectAsync() < Peers)
        {
            if (waited.Elapsed > ConnectLimit)
            {
                throw new LabException($"not all {Peers} peers had a direct path within {ConnectLimit.TotalMinutes:F0} minutes");
            }

            await Task.Delay(500, stop);
        }

        await Task.Delay(Rest, stop);
        ProcessUse crowded = agent.Use();
        await Task.Delay(Rest, stop);
        double cpu = (agent.Use().CpuSeconds - crowded.CpuSeconds) / Rest.TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $"""
            # Many peers
            Made by `edgemesh-bench peers` on {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores: an agent, and {Peers} others on its LAN, all of them real, each with a direct path to it.

            | | |
            |---|---:|
            | the agent alone, RSS, MB | {alone.RssKilobytes / 1024.0:F1} |
            | of it anonymous, MB | {alone.RssAnonKilobytes / 1024.0:F1} |
            | with {Peers} connected peers, RSS, MB | {crowded.RssKilobytes / 1024.0:F1} |
            | of it anonymous, MB | {crowded.RssAnonKilobytes / 1024.0:F1} |
            | a peer, kB | {(crowded.RssKilobytes - alone.RssKilobytes) / (double)Peers:F0} |
            | CPU at rest with {Peers} peers, % of a core | {cpu * 100:F2} |

            """);

        string StateOf(string name) => Path.Combine(lab.Directory, name);

        async Task<(Node Node, LabProcess Agent)> StartAsync(string name, int number)
        {
            Node node = await lab.AddNodeAsync(name, lan, $"10.0.1.{number}/16", null, stop);
            Directory.CreateDirectory(StateOf(name));
            return (node, node.Host.Start("agent",
            [
                binary, "agent", "--node-name", name, "--state-dir", StateOf(name), "--server", $"{Server}:20006", "--token-file", token,
                "--manifests", manifests, "--log-level", "warn",
            ]));
        }

        Task ReadyAsync(Node node) => ParkMesh.UntilAsync($"the agent of {node.Name} is ready", async () =>
            (await node.Host.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20008/readyz")).Succeeded, stop);

        async Task<int> DirectAsync()
        {
            using JsonDocument peers = JsonDocument.Parse(await hub.Host.MustAsync(stop, binary, "peers", "--state-dir", StateOf("hub"), "--json"));
            return peers.RootElement.GetProperty("peers").EnumerateArray().Count(p => p.GetProperty("path").GetString() == "lan");
        }
    }
}
