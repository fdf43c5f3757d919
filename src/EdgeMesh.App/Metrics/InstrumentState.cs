using System.Diagnostics.Metrics;

namespace EdgeMesh.App.Metrics;

/// <summary>
/// All series of one instrument. Recording allocates only for a label combination that is new; labels in the same order are
/// the same series.
/// </summary>
internal sealed class InstrumentState
{
    // More than any honest label set of ours; what comes beyond is folded into one overflow series and shows the fault.
    private const int MaxSeries = 1000;

    private static readonly double[] DefaultBounds =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private static readonly KeyValuePair<string, object?>[] Overflow = [new("overflow", "true")];

    // Guards series and what is in them.
    private readonly Lock gate = new();
    private readonly Dictionary<int, List<Series>> series = [];
    private int seriesCount;

    public InstrumentState(Instrument instrument)
    {
        Instrument = instrument;
        Kind = KindOf(instrument);
        Bounds = Kind == MetricKind.Histogram ? BoundsOf(instrument) : [];
    }

    public Instrument Instrument { get; }

    public MetricKind Kind { get; }

    public double[] Bounds { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (gate)
        {
            Series one = Find(tags);
            if (Kind == MetricKind.Histogram)
            {
                one.Observe(value, Bounds);
            }
            else if (Instrument.IsObservable || Instrument is Gauge<int> or Gauge<long> or Gauge<double>)
            {
                one.Set(value);
            }
            else
            {
                one.Add(value);
            }
        }
    }

    /// <summary>Observed instruments tell all their series at each scrape; what is not told any more is gone.</summary>
    public void BeginScrape()
    {
        if (Instrument.IsObservable)
        {
            lock (gate)
            {
                series.Clear();
                seriesCount = 0;
            }
        }
    }

    public void Visit(Action<Series> visit)
    {
        lock (gate)
        {
            foreach (List<Series> chain in series.Values)
            {
                chain.ForEach(visit);
            }
        }
    }

    private Series Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        int hash = Hash(tags);
        if (series.TryGetValue(hash, out List<Series>? chain))
        {
            foreach (Series known in chain)
            {
                if (known.Has(tags))
                {
                    return known;
                }
            }
        }

        if (seriesCount >= MaxSeries && !tags.SequenceEqual(Overflow))
        {
            return Find(Overflow);
        }

        Series made = new(tags.ToArray(), Bounds.Length);
        seriesCount++;
        if (chain is null)
        {
            series.Add(hash, [made]);
        }
        else
        {
            chain.Add(made);
        }

        return made;
    }

    private static int Hash(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        HashCode hash = default;
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            hash.Add(tag.Key);
            hash.Add(tag.Value);
        }

        return hash.ToHashCode();
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        Type type = instrument.GetType();
        Type shape = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return shape == typeof(Counter<>) || shape == typeof(ObservableCounter<>) ? MetricKind.Counter
            : shape == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
    }

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(b => (double)b)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(b => (double)b)],
        _ => DefaultBounds,
    };
}
