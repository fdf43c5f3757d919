namespace EdgeMesh.Kube;

/// <summary>
/// Reads the directory: finds which files changed by their time stamp and size and parses those. Links are followed, so a
/// ConfigMap's swap of <c>..data</c> is a change of stamp.
/// </summary>
internal sealed class ManifestDirectory(string path, ManifestParser parser)
{
    private readonly Dictionary<string, Stamp> stamps = new(StringComparer.Ordinal);

    public string Path { get; } = path;

    /// <summary>
    /// Names of manifests: *.yaml, *.yml, *.json. Hidden files and what editors leave (<c>.x.swp</c>, <c>#x#</c>, <c>x~</c>) are not.
    /// </summary>
    public static bool IsManifest(string name) =>
        name.Length > 0 && name[0] is not ('.' or '#')
        && System.IO.Path.GetExtension(name).ToUpperInvariant() is ".YAML" or ".YML" or ".JSON";

    /// <summary>The names of the manifests that are there now.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be read.</exception>
    public HashSet<string> List()
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFileSystemEntries(Path))
        {
            string name = System.IO.Path.GetFileName(file);
            if (IsManifest(name) && !Directory.Exists(file))
            {
                names.Add(name);
            }
        }

        return names;
    }

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public void Forget(string name) => stamps.Remove(name);

    /// <summary>Reads a file if it may have changed. Null when it has not, or is gone.</summary>
    /// <param name="name">A name from <see cref="List"/>.</param>
    /// <param name="isSuspect">Read it whatever its stamp says: an event named it, or a link may lead elsewhere.</param>
    /// <param name="keepWhenEmpty">
    /// An empty file counts as unchanged: it is most likely being rewritten. <paramref name="isEmpty"/> tells the caller to look again.
    /// </param>
    /// <param name="isEmpty">The file was left alone because it is empty.</param>
    public ManifestContent? Read(string name, bool isSuspect, bool keepWhenEmpty, out bool isEmpty)
    {
        isEmpty = false;
        string file = PathOf(name);
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 16 << 10);
            Stamp stamp = new(File.GetLastWriteTimeUtc(stream.SafeFileHandle), stream.Length);
            if (!isSuspect && stamps.TryGetValue(name, out Stamp known) && known == stamp)
            {
                return null;
            }

            if (stamp.Length == 0 && keepWhenEmpty)
            {
                isEmpty = true;
                return null;
            }

            stamps[name] = stamp;
            return parser.Parse(file, stream);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            // Gone between listing and opening, or a link to nothing.
            stamps.Remove(name);
            return new FileInfo(file).LinkTarget is string target
                ? ManifestParser.Broken(0, $"is a link to {target}, which does not exist")
                : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            stamps.Remove(name);
            return ManifestParser.Broken(0, $"cannot be read: {fault.Message}");
        }
    }

    private readonly record struct Stamp(DateTime Written, long Length);
}
