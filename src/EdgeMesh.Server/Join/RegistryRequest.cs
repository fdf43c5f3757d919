namespace EdgeMesh.Server.Join;

/// <summary>Body of <c>POST /v1/registry</c>.</summary>
/// <param name="Since"><see cref="RegistryAnswer.At"/> of the last answer; 0 for all.</param>
/// <param name="Wait">Hold the answer back until something has changed, at most 25 s.</param>
/// <param name="Addresses">How agents reach the server that asks, <c>host:port</c>.</param>
internal sealed record RegistryRequest(long Since, bool Wait, IReadOnlyList<string> Addresses);
