using System.CommandLine;
using System.Text.Json;
using EdgeMesh.App.Host;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Server;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary><c>edgemesh server</c> and <c>edgemesh server status</c>.</summary>
internal static class ServerVerb
{
    private static readonly Setting Wait = Setting.Text("wait", "TIME", "How long to wait for the last agent to move (default 30s).");

    public static Command Build()
    {
        Command command = new("server", "Run a server: enrolment, rendezvous and relay, where there is a public address.") { Status(), Drain(), List(), Revoke() };
        SettingReader reader = new(command, ServerSettings.All, hasFile: true);
        command.SetAction(async (result, _) =>
        {
            ServerHostOptions options = ServerSettings.Read(reader.Read(result), requireAll: true);
            using StopSignal signal = new();
            try
            {
                await ServerHost.RunAsync(options, TimeProvider.System, signal.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (signal.Token.IsCancellationRequested)
            {
                // Stopped while starting: what had been started is stopped by now.
            }

            return (int)MeshExit.Done;
        });
        return command;
    }

    private static Command Drain()
    {
        Option<bool> json = VerbOutput.Json();
        Command command = new("drain", "Move everyone to the mesh's other servers, before this one is stopped.") { json };
        SettingReader reader = new(command, [ServerSettings.StateDir, Wait], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            SettingValues values = reader.Read(result);
            string directory = CommonSettings.ReadStateDirectory(values, ServerSettings.StateDir, CommonSettings.ServerStateDirectory);
            TimeSpan wait = values.Duration(Wait, TimeSpan.FromSeconds(30));
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(wait);
            DrainReport? last = null;
            try
            {
                await foreach (string line in new OperatorClient(directory, ServerHost.SocketName, "server")
                    .AskAsync(new OperatorRequest("drain"), limit.Token).ConfigureAwait(false))
                {
                    last = JsonSerializer.Deserialize(line, OpsJson.Default.DrainReport)!;
                    await result.Output().WriteLineAsync(result.GetValue(json)
                        ? line
                        : $"{last.Connected} agents connected, {last.Relaying} of them relay here").ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new MeshException(
                    MeshExit.Failed,
                    $"after {wait.TotalSeconds:0} s {last?.Relaying ?? 0} agents still relay through this server: they are connected to no other one ('edgemesh status' on a node shows its servers); a second server is added with 'edgemesh server --join'");
            }

            return (int)MeshExit.Done;
        });
        return command;
    }

    private static Command List()
    {
        RegistryVerb verb = new("list", "Servers that have joined this one.");
        verb.Run((registry, _, _, json) =>
        {
            ServersReport report = new([.. registry.ListServers().Select(s => new JoinedServerReport(s.Id, s.Addresses, s.JoinedAt))]);
            return json ? JsonSerializer.Serialize(report, OpsJson.Default.ServersReport) + "\n" : StatusText.Of(report);
        });
        return verb.Command;
    }

    private static Command Revoke()
    {
        RegistryVerb verb = new("revoke", "Put a joined server out of the mesh.");
        Argument<string> id = new("ID") { Description = "as 'server list' shows it" };
        verb.Command.Add(id);
        verb.Run((registry, _, result, json) =>
        {
            string name = result.GetValue(id)!;
            registry.RevokeServer(name);
            return json ? "{}\n" : $"server {name} is revoked\n";
        });
        return verb.Command;
    }

    private static Command Status()
    {
        Option<bool> json = VerbOutput.Json();
        Command command = new("status", "What the server of this state directory is doing.") { json };
        SettingReader reader = new(command, [ServerSettings.StateDir], hasFile: false);
        command.SetAction(async (result, stop) =>
        {
            string directory = CommonSettings.ReadStateDirectory(reader.Read(result), ServerSettings.StateDir, CommonSettings.ServerStateDirectory);
            string line = await new OperatorClient(directory, ServerHost.SocketName, "server")
                .AskOnceAsync(new OperatorRequest("status"), stop).ConfigureAwait(false);
            TextWriter output = result.Output();
            await output.WriteAsync(result.GetValue(json)
                ? line + "\n"
                : StatusText.Of(JsonSerializer.Deserialize(line, OpsJson.Default.ServerReport)!)).ConfigureAwait(false);
            return (int)MeshExit.Done;
        });
        return command;
    }
}
