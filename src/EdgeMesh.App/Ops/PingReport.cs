namespace EdgeMesh.App.Ops;

/// <summary>One line of <c>edgemesh ping NODE --json</c>.</summary>
internal sealed record PingReport(int Sequence, string Node, string Path, string? Remote, double? RoundTripMs, string? Problem)
{
    /// <summary>Since the first ping was sent.</summary>
    public double ElapsedMs { get; init; }

    public bool IsDirect => Path is "direct" or "lan";
}
