namespace EdgeMesh.Tunnel.Identity;

/// <summary>Files of the state directory: readable by the owner only, replaced in one step, on the disk before that step.</summary>
internal static class StateFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".new";
        File.Delete(temporary);
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        using (FileStream file = new(temporary, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    public static void Replace(string path, string content) => Replace(path, System.Text.Encoding.UTF8.GetBytes(content));

    /// <returns>null if there is none.</returns>
    public static byte[]? TryRead(string path) => File.Exists(path) ? File.ReadAllBytes(path) : null;
}
