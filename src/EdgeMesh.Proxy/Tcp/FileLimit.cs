using System.Globalization;

namespace EdgeMesh.Proxy.Tcp;

/// <summary>
/// How many connections fit under RLIMIT_NOFILE less a reserve for the tunnel, the API client and the rules: one through the tunnel has
/// one file, one to a local endpoint two.
/// </summary>
internal sealed class FileLimit(int files)
{
    private const int Reserve = 256;
    private int used;

    public int Files { get; } = files;

    public static FileLimit Read() => new(Parse(File.ReadAllText("/proc/self/limits")));

    internal static int Parse(string limits)
    {
        foreach (ReadOnlySpan<char> line in limits.AsSpan().EnumerateLines())
        {
            const string Name = "Max open files";
            if (line.StartsWith(Name))
            {
                ReadOnlySpan<char> rest = line[Name.Length..].TrimStart();
                int end = rest.IndexOf(' ');
                return int.TryParse(end < 0 ? rest : rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out int soft)
                    ? soft : int.MaxValue;
            }
        }

        return 1024;
    }

    /// <summary>Takes room for that many sockets, or none.</summary>
    public bool TryTake(int count)
    {
        if (Interlocked.Add(ref used, count) <= Files - Math.Min(Reserve, Files / 4))
        {
            return true;
        }

        Interlocked.Add(ref used, -count);
        return false;
    }

    public void Give(int count) => Interlocked.Add(ref used, -count);
}
