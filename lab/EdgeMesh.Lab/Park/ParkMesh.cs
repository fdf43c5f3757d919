using System.Text.Json;

namespace EdgeMesh.Lab;

/// <summary>The product itself in a park: a server on the cloud host and an agent on every node, run from one binary.</summary>
public sealed class ParkMesh(ParkLab park, string binary)
{
    private readonly Dictionary<string, LabProcess> agents = [];
    private readonly string directory = Path.Combine(park.Lab.Directory, "mesh");

    /// <summary>The program.</summary>
    public string Binary => binary;

    public LabProcess? Server { get; private set; }

    public IReadOnlyDictionary<string, LabProcess> Agents => agents;

    /// <summary>Log level of the agents.</summary>
    public string LogLevel { get; init; } = "info";

    /// <summary>For the agents that are started from now on; null for none of its own.</summary>
    public IReadOnlyDictionary<string, string>? AgentEnvironment { get; set; }

    public string StateOf(string name) => Path.Combine(directory, name);

    public string ManifestsOf(string node) => Path.Combine(directory, node + "-manifests");

    public async Task StartServerAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(directory);
        Server = park.Cloud.Host.Start("server",
        [
            binary, "server", "--state-dir", StateOf("server"), "--listen", "0.0.0.0:20006", "--advertise", ParkLab.ServerAddress,
        ]);
        await UntilAsync("the server answers", async () =>
            Server.HasExited ? throw new LabException($"the server ended: {Server.Log()}")
            : (await park.Cloud.Host.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20009/readyz")).Succeeded, stop);
    }

    public async Task KillServerAsync()
    {
        if (Server is not null)
        {
            Server.Signal("KILL");
            await Server.ExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Starts the agent of a node; the first time with a fresh join token.</summary>
    public async Task<LabProcess> StartAgentAsync(Node node, CancellationToken stop, params string[] more)
    {
        string state = StateOf(node.Name);
        Directory.CreateDirectory(state);
        if (!Directory.Exists(ManifestsOf(node.Name)))
        {
            await park.WriteManifestsAsync(ManifestsOf(node.Name), stop);
        }

        string token = Path.Combine(directory, node.Name + ".token");
        if (!File.Exists(token))
        {
            string made = await park.Cloud.Host.MustAsync(stop, binary, "token", "create", "--state-dir", StateOf("server"), "--node", node.Name);
            await File.WriteAllTextAsync(token, made.Split('\n').First(line => line.StartsWith("emt1.", StringComparison.Ordinal)).Trim() + "\n", stop);
            File.SetUnixFileMode(token, UnixFileMode.UserRead);
        }

        return agents[node.Name] = node.Host.Start("agent",
        [
            binary, "agent", "--node-name", node.Name, "--state-dir", state, "--server", ParkLab.ServerAddress + ":20006",
            "--token-file", token, "--log-level", LogLevel, .. more is ["--kube-api", ..] ? [] : (string[])["--manifests", ManifestsOf(node.Name)], .. more,
        ], AgentEnvironment);
    }

    public async Task StartAllAsync(CancellationToken stop)
    {
        await StartServerAsync(stop);
        foreach (Node node in park.Nodes)
        {
            await StartAgentAsync(node, stop);
        }

        foreach (Node node in park.Nodes)
        {
            await ReadyAsync(node, stop);
        }
    }

    public Task ReadyAsync(Node node, CancellationToken stop) => UntilAsync($"the agent of {node.Name} is ready", async () =>
        agents[node.Name].HasExited ? throw new LabException($"the agent of {node.Name} ended: {agents[node.Name].Log()}")
        : (await node.Host.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20008/readyz")).Succeeded, stop);

    /// <summary>An operator's verb on a node, with <c>--json</c>.</summary>
    public async Task<JsonDocument> AskAsync(Node node, CancellationToken stop, params string[] verb) => JsonDocument.Parse(
        await node.Host.MustAsync(stop, [binary, .. verb, "--state-dir", StateOf(node.Name), "--json"]));

    /// <summary>Path to a peer in the words of the traffic counters, from the agent's own <c>peers</c>.</summary>
    public async Task<string> PeerPathAsync(Node on, string peer, CancellationToken stop)
    {
        using JsonDocument peers = await AskAsync(on, stop, "peers");
        foreach (JsonElement entry in peers.RootElement.GetProperty("peers").EnumerateArray())
        {
            if (entry.GetProperty("node").GetString() == peer)
            {
                return entry.GetProperty("path").GetString() switch
                {
                    "lan" => "LAN",
                    "direct" => "direct",
                    "relay-udp" => "relay UDP",
                    "relay-tls" => "relay TLS",
                    string other => other,
                    null => "none",
                };
            }
        }

        return "none";
    }

    /// <summary>Waits for something to become true, at most 30 s.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> isTrue, CancellationToken stop)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await isTrue())
        {
            if (limit.IsCancellationRequested)
            {
                stop.ThrowIfCancellationRequested();
                throw new LabException($"not within 30 s: {what}");
            }

            await Task.Delay(50, stop);
        }
    }
}
