using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary>The agent's side of the operator verbs.</summary>
internal sealed class AgentVerbs(AgentState state)
{
    /// <summary>Longest conversation: all pings, one a second, each with its own time limit.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PingLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(20);

    public Task AnswerAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop) => request.Verb switch
    {
        "status" => ReplyAsync(reply, AgentReports.Status(state), OpsJson.Default.AgentReport, stop),
        "peers" => ReplyAsync(reply, AgentReports.Peers(RequireTunnel()), OpsJson.Default.PeersReport, stop),
        "ping" => PingAsync(request, reply, stop),
        "netcheck" => NetcheckAsync(reply, stop),
        "rules" => RulesAsync(request, reply, stop),
        "explain" => ExplainAsync(request, reply, stop),
        "resolve" => ResolveAsync(request, reply, stop),
        _ => throw new MeshException(MeshExit.Usage, $"this agent ({ProgramVersion.Text}) does not know the verb '{request.Verb}'"),
    };

    private async Task RulesAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop)
    {
        ProxyService proxy = state.Proxy ?? throw NotReady("the proxy");
        RulesReport report = request.DryRun
            ? new RulesReport(null, await proxy.RuleChangesAsync(stop).ConfigureAwait(false))
            : new RulesReport(await proxy.RulesAsync(stop).ConfigureAwait(false) ?? throw NotReady("the table of rules"), null);
        await ReplyAsync(reply, report, OpsJson.Default.RulesReport, stop).ConfigureAwait(false);
    }

    private async Task ExplainAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop) => await ReplyAsync(
        reply, await AgentExplain.RunAsync(state, request, stop).ConfigureAwait(false), OpsJson.Default.ExplainReport, stop).ConfigureAwait(false);

    private async Task ResolveAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop) => await ReplyAsync(
        reply, await (state.DnsService ?? throw NotReady("DNS")).TraceAsync(request.Subject ?? "", request.Type).ConfigureAwait(false),
        OpsJson.Default.IReadOnlyListDnsStep, stop).ConfigureAwait(false);

    private async Task NetcheckAsync(OperatorReply reply, CancellationToken stop) => await ReplyAsync(
        reply, NetcheckAdvice.Of(state.Options.Node.Value, await RequireTunnel().CheckNetworkAsync(stop).ConfigureAwait(false)), OpsJson.Default.NetcheckReport, stop).ConfigureAwait(false);

    private async Task PingAsync(OperatorRequest request, OperatorReply reply, CancellationToken stop)
    {
        if (!NodeName.TryParse(request.Subject, out NodeName node))
        {
            throw new MeshException(MeshExit.Usage, $"'{request.Subject}' is not a node name");
        }

        if (node == state.Options.Node)
        {
            throw new MeshException(MeshExit.Usage, $"'{node}' is this node: name another one ('edgemesh peers' lists them)");
        }

        TunnelService tunnel = RequireTunnel();
        if (request.UntilDirectSeconds > 0)
        {
            await PingUntilDirectAsync(tunnel, node, TimeSpan.FromSeconds(request.UntilDirectSeconds), reply, stop).ConfigureAwait(false);
            return;
        }

        int count = Math.Clamp(request.Count, 1, AgentSocket.MaxPings);
        long began = Stopwatch.GetTimestamp();
        for (int i = 1; i <= count; i++)
        {
            PingReport report = await PingOnceAsync(tunnel, node, i, stop).ConfigureAwait(false);
            report = report with { ElapsedMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds };
            await ReplyAsync(reply, report, OpsJson.Default.PingReport, stop).ConfigureAwait(false);
            if (i < count)
            {
                await Task.Delay(PingInterval, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A line for the first answer, for each change of path, and for the last.</summary>
    private static async Task PingUntilDirectAsync(TunnelService tunnel, NodeName node, TimeSpan limit, OperatorReply reply, CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        string path = "";
        for (int i = 1; ; i++)
        {
            PingReport report = await PingOnceAsync(tunnel, node, i, stop).ConfigureAwait(false);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
            bool isLast = report.IsDirect || elapsed >= limit;
            if (isLast || report.Path != path)
            {
                path = report.Path;
                await ReplyAsync(reply, report with { ElapsedMs = elapsed.TotalMilliseconds }, OpsJson.Default.PingReport, stop).ConfigureAwait(false);
            }

            if (isLast)
            {
                return;
            }

            await Task.Delay(WatchInterval, stop).ConfigureAwait(false);
        }
    }

    internal static async Task<PingReport> PingOnceAsync(TunnelService tunnel, NodeName node, int sequence, CancellationToken stop)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(PingLimit);
        try
        {
            return AgentReports.Ping(sequence, node, await tunnel.PingAsync(node, limit.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new PingReport(sequence, node.Value, "none", null, null, $"no answer within {PingLimit.TotalSeconds} s");
        }
        catch (MeshException e)
        {
            return new PingReport(sequence, node.Value, "none", null, null, e.Message);
        }
    }

    private TunnelService RequireTunnel() => state.Tunnel ?? throw NotReady("the tunnel");

    private MeshException NotReady(string part) =>
        new(MeshExit.Unreachable, $"{part} does not run yet; the agent is {state.WhyNotReady() ?? "stopping"}");

    private static Task ReplyAsync<T>(OperatorReply reply, T report, JsonTypeInfo<T> type, CancellationToken stop) =>
        reply(JsonSerializer.SerializeToUtf8Bytes(report, type), stop);
}
