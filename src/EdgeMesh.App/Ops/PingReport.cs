namespace EdgeMesh.App.Ops;

/// <summary>One line of <c>edgemesh ping NODE --json</c>.</summary>
internal sealed record PingReport(int Sequence, string Node, string Path, string? Remote, double? RoundTripMs, string? Problem);
