using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Proxy.Choice;

/// <summary>Networks as the kernel's interval sets want them.</summary>
internal static class SourceRanges
{
    /// <summary>Those of this family, without the ones inside others: two networks are disjoint or one contains the other.</summary>
    /// <returns>Empty for "all may come", which is what no ranges mean. Ranges of the other family alone let nobody of this one in.</returns>
    public static ImmutableArray<IPNetwork> Disjoint(ImmutableArray<IPNetwork> ranges, AddressFamily family)
    {
        List<IPNetwork> kept = [];
        foreach (IPNetwork range in ranges.Where(r => r.BaseAddress.AddressFamily == family).OrderBy(r => r.PrefixLength))
        {
            if (!kept.Exists(k => k.Contains(range.BaseAddress)))
            {
                kept.Add(range);
            }
        }

        // The unspecified address is no client's: a fence with this door alone is closed.
        return kept.Count == 0 && !ranges.IsEmpty ? [new IPNetwork(IPAddress.Any, 32)] : [.. kept];
    }
}
