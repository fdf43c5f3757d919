using System.Globalization;
using System.Text;
using EdgeMesh.Lab;

namespace EdgeMesh.Bench;

/// <summary>Every pair of kinds of NAT, several labs at a time.</summary>
internal static class NatMatrix
{
    /// <returns>The report and whether every pair is as it should be.</returns>
    public static async Task<(string Report, bool IsGood)> RunAsync(string binary, int tries, int parallel, string only, CancellationToken stop)
    {
        List<PairOutcome> outcomes = [];
        for (int i = 0; i < Site.All.Count; i++)
        {
            for (int j = i; j < Site.All.Count; j++)
            {
                PairOutcome outcome = new(Site.All[i], Site.All[j]);
                if ($"{outcome.A.Name} – {outcome.B.Name}".Contains(only, StringComparison.Ordinal))
                {
                    outcomes.Add(outcome);
                }
            }
        }

        await Parallel.ForEachAsync(outcomes, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = stop }, async (outcome, token) =>
        {
            try
            {
                await using PairLab lab = await PairLab.CreateAsync(outcome.A, outcome.B, binary, token);
                for (int i = 0; i < tries; i++)
                {
                    await lab.TryAsync(outcome, token);
                }
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                outcome.Tries = Math.Max(outcome.Tries, 1);
                outcome.Fault = fault.Message;
            }

            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{DateTime.Now:HH:mm:ss} {(outcome.IsGood ? "ok  " : "BAD ")} {outcome.A.Name} – {outcome.B.Name}: reached {outcome.Reached}/{outcome.Tries}, direct {outcome.Direct.Count}, p50 {Metric.Median(outcome.Direct):F0} ms {outcome.Fault}"));
        });
        return (Write(outcomes, tries), outcomes.All(outcome => outcome.IsGood && outcome.Tries > 0));
    }

    private static string Write(List<PairOutcome> outcomes, int tries)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # NAT matrix
            Made by `make matrix` (`bench/EdgeMesh.Bench/NatMatrix.cs, lab/EdgeMesh.Lab/Nat`) on {DateTime.UtcNow:yyyy-MM-dd}: every unordered pair of what may stand between a node and the internet, {tries} tries each. Before every try both agents are killed
            and started, the routers forget all mappings and the agents what they knew of each other. The first packet is a request to a Service across; *direct* counts the tries that got a direct path, with the median time from that packet.

            | | | answered | direct | expected | first answer, ms | to direct, ms | slowest, ms |
            |---|---|---:|---:|---|---:|---:|---:|
            """);
        foreach (PairOutcome outcome in outcomes)
        {
            string expected = Site.Of(outcome.A, outcome.B) switch { Expectation.Direct => "always", Expectation.Lucky => "over 80 %", _ => "relayed" };
            string Cell(IEnumerable<double> values, Func<IEnumerable<double>, double> of) => values.Any() ? of(values).ToString("F0", CultureInfo.InvariantCulture) : "–";
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {outcome.A.Name} | {outcome.B.Name} | {outcome.Reached}/{outcome.Tries} | {outcome.Direct.Count}/{outcome.Tries} | {expected}{(outcome.IsGood ? "" : " ✗")} | {Cell(outcome.FirstAnswer, Metric.Median)} | {Cell(outcome.Direct, Metric.Median)} | {Cell(outcome.Direct, values => values.Max())} |");
        }

        return text.ToString();
    }
}
