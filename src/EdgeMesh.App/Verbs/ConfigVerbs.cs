using System.CommandLine;
using EdgeMesh.App.Agent;
using EdgeMesh.App.Server;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.App.Verbs;

/// <summary><c>config check</c>: reads a file as the agent or the server would, and changes nothing.</summary>
internal static class ConfigVerbs
{
    public static Command Build()
    {
        Argument<string> file = new("FILE") { Description = "configuration of an agent or a server" };
        Option<string?> role = new("--role") { Description = "agent or server; without it the file's keys tell.", HelpName = "ROLE" };
        Command check = new("check", "Check a configuration file.") { file, role };
        check.SetAction(result =>
        {
            string path = result.GetValue(file)!;
            bool forServer = result.GetValue(role) switch
            {
                null => LooksLikeServer(path),
                "agent" => false,
                "server" => true,
                string other => throw new MeshException(MeshExit.Usage, $"--role is '{other}', but must be agent or server"),
            };
            Check(path, forServer);
            result.Output().WriteLine($"{path}: good for 'edgemesh {(forServer ? "server" : "agent")}'");
            return (int)MeshExit.Done;
        });
        return new Command("config", "Configuration files.") { check };
    }

    private static void Check(string path, bool forServer)
    {
        IReadOnlyList<Setting> known = forServer ? ServerSettings.All : AgentSettings.All;
        SettingValues values = new(SettingFile.Load(path, known));
        if (forServer)
        {
            _ = ServerSettings.Read(values, requireAll: false);
        }
        else
        {
            _ = AgentSettings.Read(values, requireAll: false);
        }
    }

    // Only a server advertises; with a key that is wrong in both, the agent's list is the one to compare with.
    private static bool LooksLikeServer(string path)
    {
        try
        {
            SettingFile.Load(path, AgentSettings.All);
            return false;
        }
        catch (MeshException)
        {
            try
            {
                return SettingFile.Load(path, [.. ServerSettings.All, .. AgentSettings.All]).Keys
                    .Any(key => AgentSettings.All.All(s => s.Name != key));
            }
            catch (MeshException)
            {
                return false;
            }
        }
    }
}
