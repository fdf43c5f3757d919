using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeMesh.App.Host;

/// <summary>
/// Pages of the program and its libraries that are mapped into this process. Starting touches most of them, running few;
/// the kernel keeps them mapped until memory is short somewhere. Giving them back costs a minor fault each for those that
/// are needed again: they stay in the page cache.
/// </summary>
internal static class FilePages
{
    private const int MadvDontNeed = 4;

    /// <summary>Unmaps them all. Returns how many bytes were resident.</summary>
    public static long Release()
    {
        long released = 0;
        foreach (Mapping mapping in Clean(File.ReadLines("/proc/self/smaps")))
        {
            // Nothing that was written is lost: only mappings without a private page are named, and none can be written to.
            if (Advise((nint)mapping.Start, (nuint)(mapping.End - mapping.Start), MadvDontNeed) == 0)
            {
                released += mapping.Resident;
            }
        }

        return released;
    }

    /// <summary>Mappings of files that are not writable, and of which no page is this process's own.</summary>
    internal static IReadOnlyList<Mapping> Clean(IEnumerable<string> smaps)
    {
        List<Mapping> found = [];
        Mapping current = default;
        bool isCandidate = false;
        foreach (string line in smaps)
        {
            if (TryReadHead(line, out Mapping head, out bool isReadOnlyFile))
            {
                current = head;
                isCandidate = isReadOnlyFile;
            }
            else if (isCandidate && line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                current = current with { Resident = Kilobytes(line) };
            }
            else if (isCandidate && line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                if (Kilobytes(line) == 0 && current.Resident > 0)
                {
                    found.Add(current);
                }

                isCandidate = false;
            }
        }

        return found;
    }

    // "55d0c8a00000-55d0c8c00000 r-xp 00000000 fe:00 1234   /usr/bin/edgemesh"; the other lines are "Name:  12 kB".
    private static bool TryReadHead(string line, out Mapping mapping, out bool isReadOnlyFile)
    {
        mapping = default;
        isReadOnlyFile = false;
        int dash = line.IndexOf('-', StringComparison.Ordinal);
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (dash <= 0 || space < dash || space + 5 > line.Length
            || !ulong.TryParse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong start)
            || !ulong.TryParse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong end))
        {
            return false;
        }

        mapping = new Mapping(start, end, 0);
        ReadOnlySpan<char> rights = line.AsSpan(space + 1, 4);
        isReadOnlyFile = rights[0] == 'r' && rights[1] == '-' && rights[3] == 'p' && line.Contains(" /", StringComparison.Ordinal);
        return true;
    }

    private static long Kilobytes(string line)
    {
        ReadOnlySpan<char> text = line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim();
        int end = text.IndexOf(' ');
        return long.Parse(end < 0 ? text : text[..end], CultureInfo.InvariantCulture) * 1024;
    }

#pragma warning disable SYSLIB1054 // The generated marshalling would make this room unsafe; the arguments are blittable as they are.
    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(nint address, nuint length, int advice);
#pragma warning restore SYSLIB1054

    /// <param name="Start">First address.</param>
    /// <param name="End">Behind the last one.</param>
    /// <param name="Resident">Bytes in memory.</param>
    internal readonly record struct Mapping(ulong Start, ulong End, long Resident);
}
