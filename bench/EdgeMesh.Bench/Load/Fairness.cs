namespace EdgeMesh.Bench.Load;

/// <summary>How evenly the pairs were served.</summary>
/// <param name="Title">What was run.</param>
/// <param name="Pairs">How many.</param>
/// <param name="Offered">Payload offered by all, bit/s.</param>
/// <param name="Delivered">Of it delivered.</param>
/// <param name="Mean">Delivered by a pair that wants more than its share, bit/s.</param>
/// <param name="Tls">Mean of those of them that send over TLS, of the mean; null where there are none.</param>
/// <param name="Least">The least that any of them got, of their mean.</param>
/// <param name="Most">The most that any got, of the mean.</param>
/// <param name="Deviation">Standard deviation, of the mean.</param>
/// <param name="Modest">What modest pairs got of what they offered; null where there are none.</param>
/// <param name="Cores">The server's CPU.</param>
/// <param name="Dropped">Frames that the server or the kernel dropped, by reason.</param>
internal sealed record Fairness(
    string Title, int Pairs, double Offered, double Delivered, double Mean, double? Tls, double Least, double Most, double Deviation, double? Modest, double Cores,
    IReadOnlyDictionary<string, long> Dropped)
{
    public static Fairness Of(
        string title, IReadOnlyList<RelayPair> pairs, IReadOnlyList<(long Offered, long Delivered)> outcome, TimeSpan time, double cores,
        IReadOnlyDictionary<string, long> dropped)
    {
        // A pair that gets all it wants is not a measure of the others; those that want more than their share are compared.
        (long Offered, long Delivered)[] modest = [.. outcome.Where((_, i) => pairs[i].IsModest)];
        long[] compared = [.. outcome.Where((_, i) => !pairs[i].IsModest).Select(pair => pair.Delivered)];
        long[] tls = [.. outcome.Where((_, i) => !pairs[i].IsModest && !pairs[i].From.UsesUdp).Select(pair => pair.Delivered)];
        double mean = compared.Average();
        return new Fairness(
            title, pairs.Count, Rate(outcome.Sum(pair => pair.Offered)), Rate(outcome.Sum(pair => pair.Delivered)), Rate(mean),
            tls.Length == 0 ? null : tls.Average() / mean, compared.Min() / mean, compared.Max() / mean, Math.Sqrt(compared.Average(got => (got - mean) * (got - mean))) / mean,
            modest.Length == 0 ? null : modest.Sum(pair => pair.Delivered) / (double)modest.Sum(pair => pair.Offered), cores, dropped);

        double Rate(double bytes) => bytes * 8 / time.TotalSeconds;
    }
}
