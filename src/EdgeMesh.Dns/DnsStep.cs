namespace EdgeMesh.Dns;

/// <summary>A step on the way to an answer.</summary>
/// <param name="Source">What it rests on: <c>cluster</c>, <c>cache</c>, <c>stale</c>, <c>upstream</c>, or <c>none</c>.</param>
/// <param name="Text">A sentence.</param>
public sealed record DnsStep(string Source, string Text);
