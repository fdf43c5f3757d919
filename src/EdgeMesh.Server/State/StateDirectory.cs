using EdgeMesh.Model;

namespace EdgeMesh.Server.State;

/// <summary>
/// The files of the registry. Every record is one file that is replaced whole: written beside its place, flushed, renamed.
/// Writers hold <see cref="Lock"/>, which works across processes and dies with its holder; readers need no lock.
/// </summary>
internal sealed class StateDirectory(string path)
{
    private const string TempPrefix = ".tmp-";
    private const string RecordSuffix = ".json";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode NotOwner =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>flock(2) refuses with this errno while another holds the file; .NET passes it on as the HResult.</summary>
    private const int WouldBlock = 11;

    /// <summary>The lock is held for one fsync or two; ten seconds mean a hung disk or a stopped process.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    public string Root { get; } = Path.GetFullPath(path);

    public string PathOf(string file) => Path.Combine(Root, file);

    public bool Exists => Directory.Exists(Root);

    /// <summary>Makes the directories that are missing. One that is there keeps its mode: it may be somebody's /tmp.</summary>
    public void Create(params ReadOnlySpan<string> folders)
    {
        try
        {
            const UnixFileMode mode = OwnerOnly | UnixFileMode.UserExecute;
            Directory.CreateDirectory(Root, mode);
            foreach (string folder in folders)
            {
                Directory.CreateDirectory(PathOf(folder), mode);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Failed,
                $"--state-dir {Root}: cannot be created ({fault.Message}); name a directory this user may write, or make it and give it to this user",
                fault);
        }
    }

    /// <exception cref="MeshException">Somebody else holds it for ten seconds, or the directory is not writable.</exception>
    public IDisposable Lock()
    {
        long start = Environment.TickCount64;
        while (true)
        {
            try
            {
                return new FileStream(PathOf("lock"), new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    BufferSize = 0,
                    UnixCreateMode = OwnerOnly,
                });
            }
            catch (IOException fault) when (fault.HResult == WouldBlock)
            {
                if (Environment.TickCount64 - start > LockPatience.TotalMilliseconds)
                {
                    throw new MeshException(MeshExit.Failed,
                        $"--state-dir {Root}: another edgemesh process has held {PathOf("lock")} for {LockPatience.TotalSeconds:0} s; find it with 'fuser {PathOf("lock")}'",
                        fault);
                }

                Thread.Sleep(3);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                throw NotWritable(fault);
            }
        }
    }

    /// <summary>Null when there is no such file.</summary>
    public byte[]? Read(string file)
    {
        try
        {
            return File.ReadAllBytes(PathOf(file));
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Failed,
                $"{PathOf(file)}: cannot be read ({fault.Message}); run as the user who owns it", fault);
        }
    }

    /// <summary>As <see cref="Read"/>, and refuses a key that other users could have read.</summary>
    public byte[]? ReadSecret(string file)
    {
        byte[]? content = Read(file);
        if (content is not null && (File.GetUnixFileMode(PathOf(file)) & NotOwner) != 0)
        {
            throw new MeshException(MeshExit.Failed, $"{PathOf(file)}: other users may read or write this key; run 'chmod 600 {PathOf(file)}'");
        }

        return content;
    }

    /// <summary>Replaces a file whole. The caller holds the lock.</summary>
    public void Write(string file, ReadOnlySpan<byte> content)
    {
        string place = PathOf(file);
        string temp = Path.Combine(Path.GetDirectoryName(place)!, TempPrefix + Guid.NewGuid().ToString("n"));
        try
        {
            using (FileStream stream = new(temp, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                UnixCreateMode = OwnerOnly,
            }))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temp, place, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(fault);
        }
    }

    /// <summary>The caller holds the lock.</summary>
    public void Delete(string file)
    {
        try
        {
            File.Delete(PathOf(file));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(fault);
        }
    }

    /// <summary>The records of a folder, as <c>folder/name.json</c>, sorted. What a crashed writer left is no record.</summary>
    public IReadOnlyList<string> Records(string folder)
    {
        try
        {
            List<string> files = [];
            foreach (string file in Directory.EnumerateFiles(PathOf(folder)))
            {
                string name = Path.GetFileName(file);
                if (name.EndsWith(RecordSuffix, StringComparison.Ordinal) && !name.StartsWith('.'))
                {
                    files.Add(Path.Combine(folder, name));
                }
            }

            files.Sort(StringComparer.Ordinal);
            return files;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshExit.Failed,
                $"{PathOf(folder)}: cannot be read ({fault.Message}); run as the user who owns it", fault);
        }
    }

    /// <summary>Removes what crashed writers left. The caller holds the lock, so nobody is writing.</summary>
    public void RemoveLeftovers(params ReadOnlySpan<string> folders)
    {
        foreach (string folder in folders)
        {
            if (Directory.Exists(PathOf(folder)))
            {
                foreach (string file in Directory.EnumerateFiles(PathOf(folder), TempPrefix + "*"))
                {
                    Delete(file);
                }
            }
        }
    }

    /// <summary>When a record of the folder was last written or removed: a rename changes the directory's own time.</summary>
    public DateTime ChangedAt(string folder) => Directory.GetLastWriteTimeUtc(PathOf(folder));

    /// <summary>When a record was last written.</summary>
    public DateTime WrittenAt(string file) => File.GetLastWriteTimeUtc(PathOf(file));

    public static string RecordFile(string folder, string name) => Path.Combine(folder, name + RecordSuffix);

    private MeshException NotWritable(Exception fault) => new(MeshExit.Failed,
        $"--state-dir {Root}: not writable ({fault.Message}); free space, or run as the user who owns it", fault);
}
