using EdgeMesh.Model;

namespace EdgeMesh.App.Settings;

/// <summary>Where a join token comes from: a file or the environment, never an argument that <c>ps</c> shows.</summary>
internal static class JoinTokenSource
{
    public const string Variable = "EDGEMESH_TOKEN";

    // A token is about 120 characters.
    private const int MaxBytes = 4096;

    /// <summary>Null when none was given.</summary>
    public static string? Read(string? file, Func<string, string?> environment)
    {
        string? text = file is null ? environment(Variable) : ReadFile(file);
        return string.IsNullOrWhiteSpace(text)
            ? file is null
                ? null
                : throw new MeshException(MeshExit.Usage, $"--token-file {file} is empty: write the line into it that 'edgemesh token create' printed")
            : text.Trim();
    }

    private static string ReadFile(string file)
    {
        try
        {
            return new FileInfo(file).Length <= MaxBytes
                ? File.ReadAllText(file)
                : throw new MeshException(MeshExit.Usage, $"--token-file {file} is longer than {MaxBytes} bytes, so no token");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Usage, $"--token-file {file} cannot be read: {e.Message}", e);
        }
    }
}
