using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Proxy.Rules;

/// <summary>What the table holds besides Services: it changes with the host, not with the cluster.</summary>
/// <param name="Family">Which table.</param>
/// <param name="MeshAddress">Where the agent listens.</param>
/// <param name="Device">The mesh device.</param>
/// <param name="TcpPort">Port of the TCP forwarder.</param>
/// <param name="RetryPort">Its port for connections that the kernel's endpoints may get too.</param>
/// <param name="Outside">Interfaces whose packets must not reach <paramref name="MeshAddress"/>.</param>
/// <param name="RoutedBridges">Pod bridges whose bridged packets netfilter does not see: replies would go past conntrack.</param>
internal sealed record RuleFrame(
    RuleFamily Family, IPAddress MeshAddress, string Device, int TcpPort, int RetryPort, ImmutableSortedSet<string> Outside,
    ImmutableSortedSet<string> RoutedBridges)
{
    /// <summary>Addresses of which only some ports are Services': node addresses, externalIPs, LoadBalancer ingress. Several Services may share one.</summary>
    public ImmutableSortedSet<string> Fronts { get; init; } = [];

    public bool SameSets(RuleFrame other) =>
        Outside.SetEquals(other.Outside) && RoutedBridges.SetEquals(other.RoutedBridges) && Fronts.SetEquals(other.Fronts);
}
