namespace EdgeMesh.Server.State;

/// <summary>File <c>joined.json</c>: this registry is a copy.</summary>
/// <param name="First">Address of the server whose registry it is, <c>HOST[:PORT]</c>.</param>
internal sealed record JoinedRecord(string First);
