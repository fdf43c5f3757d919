using System.Globalization;

namespace EdgeMesh.App.Settings;

/// <summary>Times as operators write them: <c>90s</c>, <c>30m</c>, <c>24h</c>, <c>7d</c>.</summary>
internal static class DurationText
{
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return false;
        }

        long seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        if (seconds == 0 || count == 0 || count * seconds > 10L * 366 * 86400)
        {
            return false;
        }

        value = TimeSpan.FromSeconds(count * seconds);
        return true;
    }

    /// <summary>The two largest units that are not zero: <c>3d4h</c>, <c>12m5s</c>, <c>0s</c>.</summary>
    public static string Short(TimeSpan span)
    {
        if (span < TimeSpan.Zero)
        {
            return "-" + Short(-span);
        }

        return span switch
        {
            { TotalDays: >= 1 } => $"{(int)span.TotalDays}d{span.Hours}h",
            { TotalHours: >= 1 } => $"{(int)span.TotalHours}h{span.Minutes}m",
            { TotalMinutes: >= 1 } => $"{(int)span.TotalMinutes}m{span.Seconds}s",
            _ => $"{(int)span.TotalSeconds}s",
        };
    }
}
