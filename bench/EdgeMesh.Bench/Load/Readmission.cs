namespace EdgeMesh.Bench.Load;

/// <summary>How a fleet came back to a server that was killed and started again.</summary>
/// <param name="Serving">Seconds from the kill until the server served again.</param>
/// <param name="AllIn">Seconds from the kill until the last agent had its welcome.</param>
/// <param name="Seconds">Attempts by how they ended, second by second since the kill.</param>
internal sealed record Readmission(double Serving, double AllIn, IReadOnlyList<IReadOnlyDictionary<Outcome, int>> Seconds)
{
    public int Count(Outcome outcome) => Seconds.Sum(second => second[outcome]);

    public static Readmission Of(double serving, AttemptLog log) => new(
        serving, log.LastIn.TotalSeconds,
        [.. Enumerable.Range(0, (int)log.LastIn.TotalSeconds + 1).Select(second => Enum.GetValues<Outcome>().ToDictionary(o => o, o => log.Count(second, o)))]);
}
