using System.Globalization;

namespace EdgeMesh.App.Ops;

/// <summary>Byte counts for people: <c>512 B</c>, <c>1.5 kB</c>, <c>27.3 MB</c> (powers of 1,000).</summary>
internal static class SizeText
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    public static string Of(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 999.95 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return value.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }
}
