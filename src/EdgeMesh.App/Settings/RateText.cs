using System.Globalization;

namespace EdgeMesh.App.Settings;

/// <summary>Rates as operators write them, in bits: <c>500kbit</c>, <c>20Mbit</c>, <c>1.5Gbit</c>, per second.</summary>
internal static class RateText
{
    private static readonly (string Name, double BytesPerSecond)[] Units = [("kbit", 125), ("Mbit", 125_000), ("Gbit", 125_000_000)];

    /// <summary>Below this not even a QUIC connection's handshake gets through in time.</summary>
    public const long Least = 8 * 125;

    /// <param name="text">What was written.</param>
    /// <param name="bytesPerSecond">At least <see cref="Least"/>.</param>
    public static bool TryParse(string text, out long bytesPerSecond)
    {
        bytesPerSecond = 0;
        foreach ((string name, double unit) in Units)
        {
            if (text.EndsWith(name, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - name.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count)
                && count * unit is >= Least and <= 1e15)
            {
                bytesPerSecond = (long)(count * unit);
                return true;
            }
        }

        return false;
    }

    public static string Of(long bytesPerSecond)
    {
        (string name, double unit) = Units.LastOrDefault(u => bytesPerSecond >= u.BytesPerSecond, Units[0]);
        return (bytesPerSecond / unit).ToString("0.##", CultureInfo.InvariantCulture) + name;
    }
}
