using System.Globalization;

namespace EdgeMesh.App.Settings;

/// <summary>Amounts of memory as operators write them: <c>512KiB</c>, <c>128MiB</c>, <c>1GiB</c>, or in powers of 1,000 <c>64MB</c>.</summary>
internal static class ByteCountText
{
    private static readonly (string Name, long Bytes)[] Units =
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        foreach ((string name, long unit) in Units)
        {
            if (text.EndsWith(name, StringComparison.Ordinal)
                && int.TryParse(text.AsSpan(0, text.Length - name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            {
                bytes = count * unit;
                return true;
            }
        }

        return false;
    }
}
