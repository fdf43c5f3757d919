using System.Globalization;

namespace EdgeMesh.App.Host;

/// <summary>Resident memory of this process in bytes, from /proc/self/status.</summary>
internal readonly record struct ProcessMemory(long Resident, long Anonymous)
{
    public static ProcessMemory Read()
    {
        long resident = 0, anonymous = 0;
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
            {
                resident = Kilobytes(line);
            }
            else if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
            {
                anonymous = Kilobytes(line);
            }
        }

        return new ProcessMemory(resident, anonymous);
    }

    private static long Kilobytes(string line)
    {
        ReadOnlySpan<char> text = line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim();
        int end = text.IndexOf(' ');
        return long.Parse(end < 0 ? text : text[..end], CultureInfo.InvariantCulture) * 1024;
    }
}
