using System.CommandLine;
using System.Text.Json;
using EdgeMesh.App.Agent;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary><c>edgemesh explain SERVICE</c>: the first line says what is wrong, the rest how that was found.</summary>
internal static class ExplainVerb
{
    private static readonly Setting From = Setting.Text("from", "POD", "A client: pod of this node, or its address.");

    public static Command Build()
    {
        Argument<string> service = new("SERVICE") { Description = "NAME or NAMESPACE/NAME" };
        Option<bool> json = VerbOutput.Json();
        Command command = new("explain", "Why a Service works or does not from this node; the cause is in the first line.") { service, json };
        SettingReader reader = new(command, [AgentSettings.StateDir, From], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            SettingValues values = reader.Read(result);
            OperatorRequest request = new("explain", result.GetValue(service), From: values.Text(From));
            string line = await OperatorVerbs.Client(values).AskOnceAsync(request, stop).ConfigureAwait(false);
            ExplainReport report = JsonSerializer.Deserialize(line, OpsJson.Default.ExplainReport)!;
            string text = string.Join('\n', [report.Cause, .. report.Details]);
            await result.Output().WriteAsync((result.GetValue(json) ? line : text) + "\n").ConfigureAwait(false);
            return (int)(report.Served ? MeshExit.Done : MeshExit.Failed);
        });
        return command;
    }
}
