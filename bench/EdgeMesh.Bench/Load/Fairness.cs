namespace EdgeMesh.Bench.Load;

/// <summary>How evenly the pairs were served.</summary>
/// <param name="Title">What was run.</param>
/// <param name="Pairs">How many.</param>
/// <param name="Offered">Payload offered by all, bit/s.</param>
/// <param name="Delivered">Of it delivered.</param>
/// <param name="Mean">Delivered by a pair of the group, bit/s.</param>
/// <param name="Least">The least that any got, of the mean.</param>
/// <param name="Most">The most that any got, of the mean.</param>
/// <param name="Deviation">Standard deviation, of the mean.</param>
/// <param name="Cores">The server's CPU.</param>
/// <param name="Dropped">Frames that the server or the kernel dropped, by reason.</param>
internal sealed record Fairness(
    string Title, int Pairs, double Offered, double Delivered, double Mean, double Least, double Most, double Deviation, double Cores,
    IReadOnlyDictionary<string, long> Dropped)
{
    public static Fairness Of(string title, IReadOnlyList<(long Offered, long Delivered)> pairs, TimeSpan time, double cores, IReadOnlyDictionary<string, long> dropped)
    {
        double mean = pairs.Average(pair => pair.Delivered);
        return new Fairness(
            title, pairs.Count, Rate(pairs.Sum(pair => pair.Offered)), Rate(pairs.Sum(pair => pair.Delivered)), Rate(mean),
            pairs.Min(pair => pair.Delivered) / mean, pairs.Max(pair => pair.Delivered) / mean,
            Math.Sqrt(pairs.Average(pair => (pair.Delivered - mean) * (pair.Delivered - mean))) / mean, cores, dropped);

        double Rate(double bytes) => bytes * 8 / time.TotalSeconds;
    }
}
