using System.Text.Json;

namespace EdgeMesh.Lab;

/// <summary>Two sites, a server between them, and a Service at the second that the first asks for.</summary>
public sealed class PairLab(Lab lab, string binary, PairOptions options) : IAsyncDisposable
{
    // The lab's internet is no documentation network: miniupnpd maps no ports behind such an address (RFC 5737).
    public const string ServerAddress = "45.45.45.250";
    private const string Service = "10.96.0.31";
    private readonly Dictionary<string, LabProcess> agents = [];
    private BuiltSite first = null!;
    private BuiltSite second = null!;
    private Host server = null!;

    public Lab Lab => lab;

    /// <summary>Asks for the Service.</summary>
    public BuiltSite First => first;

    /// <summary>Has the Service's endpoint.</summary>
    public BuiltSite Second => second;

    public Host Server => server;

    public IReadOnlyDictionary<string, LabProcess> Agents => agents;

    public static async Task<PairLab> CreateAsync(Site a, Site b, string binary, CancellationToken stop, PairOptions? options = null)
    {
        PairLab pair = new(await Lab.CreateAsync(stop), binary, options ?? new PairOptions());
        try
        {
            await pair.BuildAsync(a, b, stop);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => lab.DisposeAsync();

    /// <summary>Both agents anew, no mapping left; then the first packet.</summary>
    public async Task TryAsync(PairOutcome outcome, CancellationToken stop)
    {
        await RestartAsync(stop);
        int within = Site.Of(outcome.A, outcome.B) switch { Expectation.Direct => 10, Expectation.Lucky => 30, _ => 2 };
        Task<CommandResult> ping = first.Node.Host.RunAsync(
            stop, binary, "ping", "edge2", "--until-direct", "--within", $"{within}", "--state-dir", StateOf("edge1"), "--json");
        CommandResult asked = await first.Node.Pods[0].Host.RunAsync(stop, "curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{time_total}", $"http://{Service}/");
        outcome.Tries++;
        if (asked.Succeeded)
        {
            outcome.Reached++;
            outcome.FirstAnswer.Add(double.Parse(asked.Output, System.Globalization.CultureInfo.InvariantCulture) * 1000);
        }
        else
        {
            outcome.Fault = asked.Error.Trim();
        }

        foreach (string line in (await ping).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument report = JsonDocument.Parse(line);
            if (report.RootElement.GetProperty("isDirect").GetBoolean())
            {
                outcome.Direct.Add(report.RootElement.GetProperty("elapsedMs").GetDouble());
            }
        }
    }

    /// <summary>A request of the first site's pod to the Service.</summary>
    public Task<CommandResult> RequestAsync(CancellationToken stop) =>
        first.Node.Pods[0].Host.RunAsync(stop, "curl", "-sS", "-m", "10", $"http://{Service}/");

    /// <summary>An operator's verb on a node, with <c>--json</c>.</summary>
    public async Task<JsonDocument> AskAsync(Host host, string state, CancellationToken stop, params string[] verb) =>
        JsonDocument.Parse(await host.MustAsync(stop, [binary, .. verb, "--state-dir", StateOf(state), "--json"]));

    public string StateOf(string node) => Path.Combine(lab.Directory, node);

    private async Task BuildAsync(Site a, Site b, CancellationToken stop)
    {
        Switch internet = await lab.AddSwitchAsync("internet", stop);
        server = await lab.AddHostAsync("server", internet, ServerAddress + "/24", null, stop);
        first = await a.BuildAsync(lab, internet, 1, stop);
        second = await b.BuildAsync(lab, internet, 2, stop);
        foreach (BuiltSite site in (BuiltSite[])[first, second])
        {
            await site.Node.AddPodAsync("a", "172.17.0.2", stop);
            string manifests = StateOf(site.Node.Name) + "-manifests";
            Directory.CreateDirectory(manifests);
            await File.WriteAllTextAsync(Path.Combine(manifests, "nodes.yaml"), ParkServices.Yaml(first.Node) + "---\n" + ParkServices.Yaml(second.Node), stop);
            await File.WriteAllTextAsync(Path.Combine(manifests, "web.yaml"), ParkServices.Yaml(new ParkService("web", Service, ("edge2", "172.17.0.2"))), stop);
        }

        await ServeAsync(second.Node.Pods[0], stop);
        server.Start("server",
        [
            binary, "server", "--state-dir", StateOf("server"), "--advertise", options.Server, .. options.ServerArguments,
        ]);
        await ParkMesh.UntilAsync("the server answers", async () =>
            (await server.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20009/healthz")).Succeeded, stop);
        if (options.Prepare is { } prepare)
        {
            await prepare(this, stop);
        }

        foreach (BuiltSite site in (BuiltSite[])[first, second])
        {
            string made = await server.MustAsync(stop, binary, "token", "create", "--state-dir", StateOf("server"), "--node", site.Node.Name);
            await File.WriteAllTextAsync(
                StateOf(site.Node.Name) + ".token", made.Split('\n').First(line => line.StartsWith("emt1.", StringComparison.Ordinal)) + "\n", stop);
        }
    }

    private async Task ServeAsync(Pod pod, CancellationToken stop)
    {
        string configuration = Path.Combine(lab.Directory, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{lab.Directory}}/nginx.pid;
            error_log {{lab.Directory}}/nginx-error.log;
            events { worker_connections 256; }
            http { access_log off; server { listen 80; location / { return 200 "ok\n"; } } }
            """, stop);
        pod.Host.Start("nginx", ["nginx", "-c", configuration]);
    }

    /// <summary>Both agents anew, no mapping left.</summary>
    public async Task RestartAsync(CancellationToken stop)
    {
        foreach (LabProcess agent in agents.Values)
        {
            agent.Signal("KILL");
            await agent.ExitAsync(stop);
        }

        foreach (BuiltSite site in (BuiltSite[])[first, second])
        {
            await site.ForgetAsync(stop);
            StartAgent(site);
        }

        foreach (BuiltSite site in (BuiltSite[])[first, second])
        {
            await ParkMesh.UntilAsync($"the agent of {site.Node.Name} is connected", async () => agents[site.Node.Name].HasExited
                ? throw new LabException($"the agent of {site.Node.Name} ended: {agents[site.Node.Name].Log()}")
                : (await site.Node.Host.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20008/readyz")).Succeeded, stop);
        }
    }

    /// <summary>Starts a site's agent.</summary>
    public LabProcess StartAgent(BuiltSite site)
    {
        string name = site.Node.Name;
        string state = StateOf(name);
        Directory.CreateDirectory(state);
        File.Delete(Path.Combine(state, "peers.json"));
        return agents[name] = site.Node.Host.Start(
            "agent",
            [
                binary, "agent", "--node-name", name, "--state-dir", state, "--server", options.Server, "--token-file", state + ".token",
                "--manifests", state + "-manifests",
            ],
            options.AgentEnvironment.GetValueOrDefault(name));
    }
}
