using System.Text.Json;

namespace EdgeMesh.Lab;

/// <summary>Two sites, a server between them, and a Service at the second that the first asks for.</summary>
public sealed class PairLab(Lab lab, string binary, PairOptions options) : IAsyncDisposable
{
    // The lab's internet is no documentation network: miniupnpd maps no ports behind such an address (RFC 5737).
    public const string ServerAddress = "45.45.45.250";
    private const string CarrierAddress = "45.45.45.30";
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

    /// <param name="a">Who asks.</param>
    /// <param name="b">Who serves.</param>
    /// <param name="binary">The program.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <param name="options">What is not as usual.</param>
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

    /// <summary>The agent of the first site.</summary>
    public LabProcess FirstAgent => agents[first.Node.Name];

    public ValueTask DisposeAsync() => lab.DisposeAsync();

    /// <summary>An operator's verb on the first site's node, with <c>--json</c>.</summary>
    public async Task<JsonDocument> AskFirstAsync(CancellationToken stop, params string[] verb) => JsonDocument.Parse(
        await first.Node.Host.MustAsync(stop, [binary, .. verb, "--state-dir", StateOf(first.Node.Name), "--json"]));

    /// <summary>Both agents anew, no mapping left; then the first packet.</summary>
    /// <param name="outcome">Gets what came of it.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <param name="patience">Seconds to wait for a direct path; by default as long as this pair may need.</param>
    public async Task TryAsync(PairOutcome outcome, CancellationToken stop, int? patience = null)
    {
        await RestartAsync(stop);
        int within = patience ?? Site.Of(outcome.A, outcome.B) switch { Expectation.Direct => 10, Expectation.Lucky => 30, _ => 2 };
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
        Router? shared = null;
        if (options.Carrier is { } kind)
        {
            shared = await lab.AddRouterAsync("carrier", internet, CarrierAddress + "/24", Site.SharedGateway + "/24", kind, stop);
            await HairpinAsync(shared, stop);
        }

        first = await a.BuildAsync(lab, shared?.Lan ?? internet, 1, stop, shared);
        second = await b.BuildAsync(lab, shared?.Lan ?? internet, 2, stop, shared);
        foreach (BuiltSite site in (BuiltSite[])[first, second])
        {
            await site.Node.AddPodAsync("a", "172.17.0.2", stop);
            string manifests = StateOf(site.Node.Name) + "-manifests";
            Directory.CreateDirectory(manifests);
            await File.WriteAllTextAsync(Path.Combine(manifests, "nodes.yaml"), ParkServices.Yaml(first.Node) + "---\n" + ParkServices.Yaml(second.Node), stop);
            await File.WriteAllTextAsync(Path.Combine(manifests, "web.yaml"), ParkServices.Yaml(new ParkService("web", Service, ("edge2", "172.17.0.2"))), stop);
        }

        if (options.PrepareNetwork is { } prepareNetwork)
        {
            await prepareNetwork(this, stop);
        }

        await ServeAsync(second.Node.Pods[0], stop);
        server.Start("server",
        [
            binary, "server", "--state-dir", StateOf("server"), "--advertise", options.Server, .. options.ServerArguments,
        ]);
        await ParkMesh.UntilAsync("the server answers", async () =>
            (await server.RunAsync(stop, "curl", "-sf", "-m", "2", "http://127.0.0.1:20009/readyz")).Succeeded, stop);
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

    // RFC 4787 section 6: the packet comes back in with the outside address and port of who sent it.
    private static Task HairpinAsync(Router router, CancellationToken stop) => router.Host.NftAsync($$"""
        table ip nat {
          chain turn { type nat hook prerouting priority -101; iif lan0 ip daddr {{CarrierAddress}} meta l4proto udp dnat ip to udp dport map @inside; }
          chain remember { type filter hook prerouting priority -151; iif lan0 meta l4proto udp update @inside { udp sport : ip saddr }; }
          chain hide { type nat hook postrouting priority 99; oif lan0 ct status dnat snat to {{CarrierAddress}}; }
        }
        """, stop);

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
                "--manifests", state + "-manifests", .. options.AgentArguments,

                // A full cone has one inside host per port.
                .. options.Carrier is null || site == first ? (string[])[] : ["--tunnel.port", "20008"],
            ],
            options.AgentEnvironment.GetValueOrDefault(name));
    }
}
