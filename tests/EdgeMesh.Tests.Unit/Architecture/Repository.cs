namespace EdgeMesh.Tests.Unit.Architecture;

/// <summary>The files of this repository, as the tests see them.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static string Read(string relative) => File.ReadAllText(PathOf(relative));

    /// <summary>Files below a folder, build output left out, as paths relative to the root.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Root, f))
            .Where(f => !f.Split('/').Any(part => part is "obj" or "bin" or "out"))
            .Order(StringComparer.Ordinal);

    /// <summary>Rooms: the folders of <c>src</c>, without <c>EdgeMesh.</c>.</summary>
    public static IReadOnlyList<string> Rooms { get; } =
        [.. Directory.EnumerateDirectories(PathOf("src"), "EdgeMesh.*").Select(d => Path.GetFileName(d)["EdgeMesh.".Length..]).Order(StringComparer.Ordinal)];

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "EdgeMesh.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("the tests do not run inside the repository");
    }
}
