using System.Net;

namespace EdgeMesh.Tunnel;

/// <summary>An answer of a peer's agent.</summary>
/// <param name="RoundTrip">Through the tunnel, both agents included.</param>
/// <param name="Path">The path it took.</param>
/// <param name="RemoteAddress">The peer's address on a direct path.</param>
/// <param name="Server">The server on a relayed one.</param>
public sealed record PingResult(TimeSpan RoundTrip, PathKind Path, IPEndPoint? RemoteAddress, string? Server);
