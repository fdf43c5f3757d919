using System.CommandLine;
using EdgeMesh.App.Agent;
using EdgeMesh.App.Host;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary><c>edgemesh agent</c>: runs on every node; with <c>--cleanup</c> removes what an agent left in the kernel.</summary>
internal static class AgentVerb
{
    public static Command Build()
    {
        Command command = new("agent", "Run the agent of this node.");
        SettingReader reader = new(command, AgentSettings.All, hasFile: true);
        command.SetAction(async (result, _) =>
        {
            SettingValues values = reader.Read(result);
            using StopSignal signal = new();
            try
            {
                if (values.Switch(AgentSettings.Cleanup))
                {
                    await AgentCleanup.RunAsync(AgentSettings.Read(values, requireAll: false), result.Output(), signal.Token).ConfigureAwait(false);
                }
                else
                {
                    await AgentHost.RunAsync(AgentSettings.Read(values, requireAll: true), TimeProvider.System, signal.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (signal.Token.IsCancellationRequested)
            {
                // Stopped while starting: what had been started is stopped by now.
            }

            return (int)MeshExit.Done;
        });
        return command;
    }
}
