namespace EdgeMesh.Tunnel.Paths;

/// <summary>A way through a server, as it is now.</summary>
/// <param name="Id">Which server.</param>
/// <param name="Kind"><see cref="PathKind.RelayUdp"/> or <see cref="PathKind.RelayTls"/>.</param>
/// <param name="RoundTrip">Agent to server and back, and the peer's the same if it has told it, ns.</param>
/// <param name="HasPeer">False once the server has said that the peer is not connected to it.</param>
/// <param name="IsSuspect">The server owes us an answer.</param>
/// <param name="IsDraining">The server asks to use another one.</param>
internal readonly record struct RelayRoute(int Id, PathKind Kind, long RoundTrip, bool HasPeer, bool IsSuspect = false, bool IsDraining = false);
