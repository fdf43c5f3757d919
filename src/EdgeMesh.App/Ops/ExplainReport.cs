namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh explain SERVICE --json</c>.</summary>
/// <param name="Served">Nothing wrong was found.</param>
/// <param name="Cause">The first thing that is wrong, in a sentence.</param>
/// <param name="Details">Name, rule, endpoints, paths and trials, one a line.</param>
internal sealed record ExplainReport(bool Served, string Cause, IReadOnlyList<string> Details);
