using System.Collections.Immutable;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Host;

/// <summary>What of this host's network decides over rules. Compared by content.</summary>
internal sealed record HostFacts(RouteTable Routes, ImmutableArray<InterfaceFacts> Interfaces)
{
    public static readonly HostFacts Empty = new(RouteTable.Empty, []);

    public bool SameAs(HostFacts other) => Routes.SameAs(other.Routes) && Interfaces.Length == other.Interfaces.Length
        && Interfaces.Zip(other.Interfaces).All(p =>
            p.First with { Lower = [], Addresses = [] } == p.Second with { Lower = [], Addresses = [] }
            && p.First.Lower.SequenceEqual(p.Second.Lower) && p.First.Addresses.SequenceEqual(p.Second.Addresses));

    /// <summary>
    /// Interfaces from which nobody may reach the mesh address: those that lead off this host. That is: one with a default
    /// route or one of the node's own addresses, one with hardware behind or below it, a tunnel. All others (pod bridges,
    /// veths of CNIs that route) belong to local pods. The README argues the choice.
    /// </summary>
    public ImmutableSortedSet<string> Outside(Node? self, string meshDevice)
    {
        Dictionary<string, InterfaceFacts> byName = Interfaces.ToDictionary(i => i.Name);
        HashSet<string> defaults = [.. Routes.Routes.Where(r => r.IsDefault).Select(r => r.Device)];
        return [.. Interfaces.Where(i => i.Name != "lo" && i.Name != meshDevice && IsOutside(i, byName, defaults, self, depth: 0)).Select(i => i.Name)];
    }

    /// <summary>Where node ports are served: the IPv4 addresses of the interfaces that lead off this host, and the node's own.</summary>
    public ImmutableArray<IPAddress> NodePortAddresses(Node? self, string meshDevice)
    {
        ImmutableSortedSet<string> outside = Outside(self, meshDevice);
        return [.. Interfaces.Where(i => outside.Contains(i.Name)).SelectMany(i => i.Addresses)
            .Distinct().OrderBy(a => a.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>Bridges with local pods.</summary>
    public ImmutableSortedSet<string> PodBridges(Node? self, string meshDevice)
    {
        ImmutableSortedSet<string> outside = Outside(self, meshDevice);
        return [.. Interfaces.Where(i => i.IsBridge && i.Name != meshDevice && !outside.Contains(i.Name)).Select(i => i.Name)];
    }

    /// <summary>Bridges with local pods whose bridged packets netfilter does not see.</summary>
    public ImmutableSortedSet<string> RoutedBridges(string meshDevice) =>
        [.. Interfaces.Where(i => i.IsBridge && !i.SeesBridged && i.Name != meshDevice).Select(i => i.Name)];

    private static bool IsOutside(
        InterfaceFacts i, Dictionary<string, InterfaceFacts> byName, HashSet<string> defaults, Node? self, int depth) =>
        defaults.Contains(i.Name)
        || !i.IsEthernet
        || i.HasHardware
        || (self is not null && i.Addresses.Any(a => self.Addresses.Contains(a)))
        || (depth < 8 && i.Lower.Any(l => byName.TryGetValue(l, out InterfaceFacts? lower)
            && IsOutside(lower, byName, defaults, self: null, depth + 1)));
}
