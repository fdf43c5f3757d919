using System.Globalization;
using System.Net.Sockets;

namespace EdgeMesh.Model;

/// <summary>
/// Whether files run short: a quarter of RLIMIT_NOFILE, at most 256, stays free for what is not clients' and peers' traffic: servers, the
/// API client, state files, the rules, which start processes. Nothing is counted: the kernel gives each new file the lowest free number, so
/// a socket's own number says how many are open.
/// </summary>
public sealed class FileReserve(int files)
{
    private const int Reserve = 256;
    private const long TellPause = 10_000;

    private long told = -TellPause;

    /// <summary>RLIMIT_NOFILE.</summary>
    public int Files { get; } = files;

    /// <summary>This process's, as it is now.</summary>
    public static FileReserve Read() => new(Parse(File.ReadAllText("/proc/self/limits")));

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

    /// <summary>The first number that belongs to the reserve.</summary>
    public int First { get; } = files - Math.Min(Reserve, files / 4);

    public bool IsNear(Socket opened) => IsNear(opened.Handle);

    /// <param name="opened">Number of a file that has just been opened.</param>
    public bool IsNear(nint opened) => opened >= First;

    /// <summary>Whether it is time to tell the operator that files run short: at most every ten seconds. Any thread.</summary>
    public bool IsTimeToTell()
    {
        long now = Environment.TickCount64;
        long last = Interlocked.Read(ref told);
        return now - last > TellPause && Interlocked.CompareExchange(ref told, now, last) == last;
    }
}
