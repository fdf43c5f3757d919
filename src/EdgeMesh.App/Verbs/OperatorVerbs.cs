using System.CommandLine;
using System.Text.Json;
using EdgeMesh.App.Agent;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary>The verbs that ask the agent of this node: <c>status</c>, <c>peers</c>, <c>netcheck</c>, <c>ping</c> (and <c>resolve</c>, in its own file).</summary>
internal static class OperatorVerbs
{
    private const int DefaultUntilDirectSeconds = 30;

    private static readonly Setting Count = Setting.Text("count", "N", "How many pings (default 4).");
    private static readonly Setting DryRun = Setting.Switch("dry-run", "Only what the kernel lacks (+) or has too much (-); changes nothing.");
    private static readonly Setting UntilDirect = Setting.Switch("until-direct", "Go on until the path is direct; a line for each change of path.");
    private static readonly Setting Within = Setting.Text("within", "SECONDS", "With --until-direct: give up after this long (default 30).");

    public static IEnumerable<Command> Build()
    {
        yield return Once("status", "What the agent of this node is doing.", line =>
            StatusText.Of(JsonSerializer.Deserialize(line, OpsJson.Default.AgentReport)!));
        yield return Once("peers", "The nodes this agent is connected to, and by which path.", line =>
            StatusText.Of(JsonSerializer.Deserialize(line, OpsJson.Default.PeersReport)!));
        yield return Once("netcheck", "What stands between this node and its peers: NAT, UDP, servers, and what to do about it.", line =>
            StatusText.Of(JsonSerializer.Deserialize(line, OpsJson.Default.NetcheckReport)!));
        yield return Ping();
        yield return ResolveVerb.Build();
        yield return ExplainVerb.Build();
        yield return Rules();
    }

    private static Command Once(string verb, string help, Func<string, string> table)
    {
        Option<bool> json = VerbOutput.Json();
        Command command = new(verb, help) { json };
        SettingReader reader = new(command, [AgentSettings.StateDir], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            string line = await Client(reader.Read(result)).AskOnceAsync(new OperatorRequest(verb), stop).ConfigureAwait(false);
            await result.Output().WriteAsync(result.GetValue(json) ? line + "\n" : table(line)).ConfigureAwait(false);
            return (int)MeshExit.Done;
        });
        return command;
    }

    private static Command Rules()
    {
        Option<bool> json = VerbOutput.Json();
        Command command = new("rules", "The nftables rules for this node's Services, as text for nft.") { json };
        SettingReader reader = new(command, [AgentSettings.StateDir, DryRun], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            SettingValues values = reader.Read(result);
            string line = await Client(values).AskOnceAsync(new OperatorRequest("rules", DryRun: values.Switch(DryRun)), stop).ConfigureAwait(false);
            RulesReport report = JsonSerializer.Deserialize(line, OpsJson.Default.RulesReport)!;
            string text = report.Rules ?? string.Concat((report.Changes is { Count: > 0 } changes ? changes : ["the kernel has these rules; nothing would change"]).Select(l => l + "\n"));
            await result.Output().WriteAsync(result.GetValue(json) ? line + "\n" : text).ConfigureAwait(false);
            return (int)MeshExit.Done;
        });
        return command;
    }

    private static Command Ping()
    {
        Argument<string> node = new("NODE") { Description = "name of another node" };
        Option<bool> json = VerbOutput.Json();
        Command command = new("ping", "Measure the tunnel to another node; shows the path each answer took.") { node, json };
        SettingReader reader = new(command, [AgentSettings.StateDir, Count, UntilDirect, Within], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            SettingValues values = reader.Read(result);
            int limit = values.Switch(UntilDirect) ? values.Int(Within, DefaultUntilDirectSeconds, 1, 600) : 0;
            OperatorRequest request = new("ping", result.GetValue(node), values.Int(Count, 4, 1, AgentSocket.MaxPings), limit);
            bool answered = false;
            await foreach (string line in Client(values).AskAsync(request, stop).ConfigureAwait(false))
            {
                PingReport report = JsonSerializer.Deserialize(line, OpsJson.Default.PingReport)!;
                answered |= limit > 0 ? report.IsDirect : report.Problem is null;
                await result.Output().WriteLineAsync(result.GetValue(json) ? line : StatusText.Of(report)).ConfigureAwait(false);
            }

            return (int)(answered ? MeshExit.Done : MeshExit.Unreachable);
        });
        return command;
    }

    internal static OperatorClient Client(SettingValues values) => new(
        CommonSettings.ReadStateDirectory(values, AgentSettings.StateDir, CommonSettings.AgentStateDirectory), AgentSocket.Name, "agent");
}
