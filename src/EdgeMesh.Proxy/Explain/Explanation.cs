namespace EdgeMesh.Proxy.Explain;

/// <summary>Why a Service works or does not from this node.</summary>
/// <param name="IsServed">Nothing wrong was found.</param>
/// <param name="Cause">The first thing that is wrong, or that all is well, in a sentence.</param>
/// <param name="Details">Name, rule, endpoints, path and trial, one a line.</param>
public sealed record Explanation(bool IsServed, string Cause, IReadOnlyList<string> Details);
