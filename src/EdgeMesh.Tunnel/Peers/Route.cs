using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>Where a datagram came from, and so where an answer goes: an address, or a mesh address behind a server.</summary>
/// <param name="Direct">Set without a link.</param>
/// <param name="Link">The server, or null.</param>
/// <param name="Relayed">The peer behind it.</param>
internal readonly record struct Route(WireAddress Direct, RelayLink? Link, MeshAddress Relayed)
{
    public static Route To(WireAddress address) => new(address, null, default);

    public static Route Through(RelayLink link, MeshAddress peer) => new(default, link, peer);

    public override string ToString() => Link is null ? Direct.ToString() : $"server {Link.Name}";
}
