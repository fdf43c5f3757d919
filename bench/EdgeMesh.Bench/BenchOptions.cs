namespace EdgeMesh.Bench;

/// <param name="Binary">The edgemesh executable.</param>
/// <param name="Rounds">How often each way is measured; the report gives medians.</param>
/// <param name="Seconds">Length of one load.</param>
/// <param name="Only">Only ways whose name contains this; all if empty.</param>
internal sealed record BenchOptions(string Binary, int Rounds, int Seconds, string Only)
{
    public bool Takes(Way way) => way.Name.Contains(Only, StringComparison.Ordinal);
}
