using System.Globalization;
using System.Text;

namespace EdgeMesh.App.Metrics;

/// <summary>Prometheus text exposition format 0.0.4: HELP, TYPE, one line a series; labels and help escaped.</summary>
internal static class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<InstrumentState> instruments)
    {
        StringBuilder text = new(8192);
        foreach (InstrumentState one in instruments)
        {
            string name = Name(one.Instrument.Name);
            bool headed = false;
            one.Visit(series =>
            {
                if (!headed)
                {
                    headed = true;
                    text.Append("# HELP ").Append(name).Append(' ').Append(Escape(one.Instrument.Description ?? "", quotes: false)).Append('\n');
                    text.Append("# TYPE ").Append(name).Append(' ').Append(TypeName(one.Kind)).Append('\n');
                }

                if (one.Kind == MetricKind.Histogram)
                {
                    Histogram(text, name, one.Bounds, series);
                }
                else
                {
                    Line(text, name, series.Tags, null, series.Value);
                }
            });
        }

        return text.ToString();
    }

    private static void Histogram(StringBuilder text, string name, double[] bounds, Series series)
    {
        long below = 0;
        for (int i = 0; i < bounds.Length; i++)
        {
            below += series.Buckets[i];
            Line(text, name + "_bucket", series.Tags, Number(bounds[i]), below);
        }

        Line(text, name + "_bucket", series.Tags, "+Inf", series.Count);
        Line(text, name + "_sum", series.Tags, null, series.Value);
        Line(text, name + "_count", series.Tags, null, series.Count);
    }

    private static void Line(StringBuilder text, string name, KeyValuePair<string, object?>[] tags, string? le, double value)
    {
        text.Append(name);
        if (tags.Length > 0 || le is not null)
        {
            char before = '{';
            foreach (KeyValuePair<string, object?> tag in tags)
            {
                string label = Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "";
                text.Append(before).Append(Name(tag.Key)).Append("=\"").Append(Escape(label, quotes: true)).Append('"');
                before = ',';
            }

            if (le is not null)
            {
                text.Append(before).Append("le=\"").Append(le).Append('"');
            }

            text.Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string TypeName(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Histogram => "histogram",
        _ => "gauge",
    };

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Name(string name) => string.Create(name.Length, name, static (span, from) =>
    {
        for (int i = 0; i < from.Length; i++)
        {
            span[i] = char.IsAsciiLetterOrDigit(from[i]) || from[i] == '_' ? from[i] : '_';
        }
    });

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
