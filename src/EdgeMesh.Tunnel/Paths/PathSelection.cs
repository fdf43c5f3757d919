using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Paths;

/// <summary>The path that datagrams take.</summary>
/// <param name="Kind">What it is; <see cref="PathKind.None"/> while there is none.</param>
/// <param name="Remote">The peer's address on a direct path.</param>
/// <param name="RelayId">The server on a relayed one.</param>
internal readonly record struct PathSelection(PathKind Kind, WireAddress Remote, int RelayId)
{
    public bool IsDirect => Kind >= PathKind.Direct;
}
