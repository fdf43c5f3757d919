using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Logging;

/// <summary>One log entry as one line of UTF-8, whatever the message holds.</summary>
internal static class LogLine
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static byte[] Format(
        LogFormat format, DateTimeOffset time, LogLevel level, string category, string message, Exception? error)
    {
        // A whole stack trace is for faults of ours; an expected one says all in its message.
        string? why = error is null ? null : level >= LogLevel.Error ? error.ToString() : $"{error.GetType().Name}: {error.Message}";
        return format == LogFormat.Json
            ? Json(time, level, category, message, why)
            : Text(time, level, category, message, why);
    }

    private static byte[] Text(DateTimeOffset time, LogLevel level, string category, string message, string? why)
    {
        StringBuilder line = new(64 + message.Length + (why?.Length ?? 0));
        line.Append(time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture))
            .Append(' ').Append(Name(level).PadRight(5)).Append(' ').Append(category).Append(": ");
        AppendOneLine(line, message);
        if (why is not null)
        {
            line.Append(" | ");
            AppendOneLine(line, why);
        }

        return Encoding.UTF8.GetBytes(line.Append('\n').ToString());
    }

    private static byte[] Json(DateTimeOffset time, LogLevel level, string category, string message, string? why)
    {
        ArrayBufferWriter<byte> buffer = new(256);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture));
            json.WriteString("level", Name(level));
            json.WriteString("room", category);
            json.WriteString("message", message);
            if (why is not null)
            {
                json.WriteString("error", why);
            }

            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    // Names and reasons come from the network too: a line break in one must not forge a log line.
    private static void AppendOneLine(StringBuilder line, string text)
    {
        foreach (char c in text)
        {
            if (c == '\n')
            {
                line.Append(" ⏎ ");
            }
            else if (!char.IsControl(c) || c == '\t')
            {
                line.Append(c);
            }
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };
}
