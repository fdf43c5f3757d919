using System.Reflection;

namespace EdgeMesh.App;

/// <summary>Version of this program, as built: number, and the commit in short form.</summary>
internal static class ProgramVersion
{
    private const int CommitDigits = 9;

    public static string Text { get; } = Shorten(
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");

    internal static string Shorten(string version)
    {
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus >= 0 && version.Length > plus + 1 + CommitDigits ? version[..(plus + 1 + CommitDigits)] : version;
    }
}
