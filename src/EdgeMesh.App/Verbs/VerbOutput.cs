using System.CommandLine;

namespace EdgeMesh.App.Verbs;

internal static class VerbOutput
{
    /// <summary>Where a verb prints its answer.</summary>
    public static TextWriter Output(this ParseResult result) => result.InvocationConfiguration.Output;

    public static Option<bool> Json() => new("--json") { Description = "Print JSON instead of a table." };
}
