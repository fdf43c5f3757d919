using System.Globalization;

namespace EdgeMesh.App.Host;

/// <summary>Effective capabilities of this process (capabilities(7)), from /proc/self/status.</summary>
internal static class Capabilities
{
    public const int NetBindService = 10;
    public const int NetAdmin = 12;

    public static bool Has(int capability) => Has(File.ReadLines("/proc/self/status"), capability);

    internal static bool Has(IEnumerable<string> status, int capability)
    {
        const string Key = "CapEff:";
        foreach (string line in status)
        {
            if (line.StartsWith(Key, StringComparison.Ordinal)
                && ulong.TryParse(line.AsSpan(Key.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong bits))
            {
                return (bits >> capability & 1) != 0;
            }
        }

        return false;
    }
}
