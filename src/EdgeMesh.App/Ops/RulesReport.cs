namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh rules --json</c>.</summary>
/// <param name="Rules">The table as it should be, as nft reads it; null with <c>--dry-run</c>.</param>
/// <param name="Changes">With <c>--dry-run</c>: what of it the kernel lacks (+) or has too much (-).</param>
internal sealed record RulesReport(string? Rules, IReadOnlyList<string>? Changes);
