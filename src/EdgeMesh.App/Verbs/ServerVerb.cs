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
    public static Command Build()
    {
        Command command = new("server", "Run a server: enrolment, rendezvous and relay, where there is a public address.") { Status() };
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
