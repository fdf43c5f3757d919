using EdgeMesh.Model;

namespace EdgeMesh.App.Host;

internal static class StateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the directory if it is missing, open to its owner only, and proves that files can be made in it.</summary>
    public static void Prepare(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            string probe = Path.Combine(path, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(
                MeshExit.Failed, $"--state-dir {path} is not writable ({e.Message}): run as its owner or give another directory", e);
        }
    }
}
