using System.CommandLine;
using EdgeMesh.App.Server;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;
using EdgeMesh.Server;

namespace EdgeMesh.App.Verbs;

/// <summary>A verb that works on a server's state directory, whether the server runs or not.</summary>
internal sealed class RegistryVerb
{
    private readonly SettingReader reader;
    private readonly Option<bool> json = VerbOutput.Json();

    public RegistryVerb(string name, string help, params ReadOnlySpan<Setting> settings)
    {
        Command = new Command(name, help) { json };
        reader = new SettingReader(Command, [ServerSettings.StateDir, .. settings], hasFile: false);
    }

    public Command Command { get; }

    /// <param name="work">(registry, options, arguments, --json) → what to print.</param>
    public void Run(Func<Registry, SettingValues, ParseResult, bool, string> work) => Command.SetAction(result =>
    {
        SettingValues values = reader.Read(result);
        string directory = CommonSettings.ReadStateDirectory(values, ServerSettings.StateDir, CommonSettings.ServerStateDirectory);
        using Registry registry = new(directory, TimeProvider.System);
        result.Output().Write(work(registry, values, result, result.GetValue(json)));
        return (int)MeshExit.Done;
    });
}
