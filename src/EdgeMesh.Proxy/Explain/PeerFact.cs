namespace EdgeMesh.Proxy.Explain;

/// <param name="Path">The path's name, null if there is none.</param>
/// <param name="Why">Why it is so, in words.</param>
public sealed record PeerFact(string? Path, string Why);
