namespace EdgeMesh.App.Metrics;

/// <summary>One time series: an instrument with one combination of labels. Guarded by its instrument's lock.</summary>
internal sealed class Series(KeyValuePair<string, object?>[] tags, int buckets)
{
    private readonly long[] counts = buckets > 0 ? new long[buckets + 1] : [];

    public KeyValuePair<string, object?>[] Tags { get; } = tags;

    public double Value { get; private set; }

    public long Count { get; private set; }

    /// <summary>Not cumulative; the last one is what lies above the greatest bound.</summary>
    public ReadOnlySpan<long> Buckets => counts;

    public void Add(double value) => Value += value;

    public void Set(double value) => Value = value;

    public void Observe(double value, double[] bounds)
    {
        int index = Array.BinarySearch(bounds, value);
        counts[index >= 0 ? index : ~index]++;
        Value += value;
        Count++;
    }

    public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length != Tags.Length)
        {
            return false;
        }

        for (int i = 0; i < tags.Length; i++)
        {
            if (tags[i].Key != Tags[i].Key || !Equals(tags[i].Value, Tags[i].Value))
            {
                return false;
            }
        }

        return true;
    }
}
