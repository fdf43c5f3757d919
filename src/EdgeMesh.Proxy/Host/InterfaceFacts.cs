using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Proxy.Host;

/// <summary>What is known of one network interface.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsBridge">A bridge.</param>
/// <param name="SeesBridged">Bridge: netfilter sees packets between its ports (<c>bridge-nf-call-iptables</c>).</param>
/// <param name="IsEthernet">False for tunnels, PPP and the like.</param>
/// <param name="HasHardware">A driver's device stands behind it.</param>
/// <param name="Lower">Interfaces below it: ports of a bridge or bond, parent of a VLAN.</param>
/// <param name="Addresses">Its IPv4 addresses.</param>
internal sealed record InterfaceFacts(
    string Name, bool IsBridge, bool SeesBridged, bool IsEthernet, bool HasHardware, ImmutableArray<string> Lower,
    ImmutableArray<IPAddress> Addresses);
