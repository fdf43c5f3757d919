using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;
using EdgeMesh.Quic;

namespace EdgeMesh.App.Verbs;

/// <summary>What runs here: the program's version and those of the libraries it finds on this machine.</summary>
internal static class VersionVerb
{
    public static Command Build()
    {
        Option<bool> json = VerbOutput.Json();
        Command command = new("version", "Versions of the program and of the libraries it finds.") { json };
        command.SetAction(result =>
        {
            VersionReport report = Report();
            result.Output().WriteLine(result.GetValue(json)
                ? JsonSerializer.Serialize(report, OpsJson.Default.VersionReport)
                : $"""
                edgemesh   {report.Version}
                runtime    {report.Runtime}
                system     {report.System}
                libraries  {report.Libraries ?? "missing: " + report.LibrariesProblem}
                """);
            return (int)MeshExit.Done;
        });
        return command;
    }

    private static VersionReport Report()
    {
        string? libraries = null, problem = null;
        try
        {
            libraries = QuicLibrary.EnsureLoaded();
        }
        catch (QuicUnavailableException e)
        {
            problem = e.Message;
        }

        return new VersionReport(
            ProgramVersion.Text,
            RuntimeInformation.FrameworkDescription,
            $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}",
            libraries,
            problem);
    }
}
