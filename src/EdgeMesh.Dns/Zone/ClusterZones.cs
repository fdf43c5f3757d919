using System.Collections.Immutable;

namespace EdgeMesh.Dns;

/// <summary>
/// Every cluster domain the node answers for, and the names that can only be an expansion of a cluster name. The first domain
/// is the primary one: reverse names and aliases are written in it.
/// </summary>
internal sealed class ClusterZones
{
    private readonly ClusterZone primary;
    private readonly ImmutableArray<ClusterZone> zones;
    private volatile byte[][] expansions = [];

    /// <param name="zones">At least one.</param>
    public ClusterZones(params IReadOnlyList<ClusterZone> zones)
    {
        primary = zones[0];

        // A domain may lie below another one: the longer one owns its names.
        this.zones = [.. zones.OrderByDescending(zone => zone.Domain.Length)];
    }

    /// <summary>
    /// The node's search list. A stub resolver with ndots:5 asks for <c>video.default.svc.cluster.local.LIST</c> before it asks
    /// for the name itself; no such name can exist, and the question must not wait for an upstream that is away.
    /// </summary>
    public void SetSearch(IEnumerable<string> search)
    {
        List<byte[]> found = [];
        Span<byte> wire = stackalloc byte[WireName.MaxLength];
        foreach (string suffix in search)
        {
            if (!WireName.TryFromText(suffix.ToLowerInvariant(), wire, out int length) || length < 2)
            {
                continue;
            }

            foreach (ClusterZone zone in zones)
            {
                // The zone's own search entries (`svc.cluster.local`) are ours already.
                if (zone.Domain.Length - 1 + length <= WireName.MaxLength && !wire[..length].EndsWith(zone.Domain))
                {
                    found.Add([.. zone.Domain.AsSpan(0, zone.Domain.Length - 1), .. wire[..length]]);
                }
            }
        }

        expansions = [.. found];
    }

    public ZoneResult Answer(scoped NameView name, scoped in DnsQuery query, ref DnsWriter writer, scoped Span<byte> target, out int targetLength)
    {
        foreach (ClusterZone zone in zones)
        {
            if (zone.Owns(name))
            {
                return zone.Answer(name, query, ref writer, target, out targetLength);
            }
        }

        targetLength = 0;
        return FindExpansion(name) is not null ? ZoneResult.NameError : primary.Reverse(name, query, ref writer);
    }

    public void WriteAuthority(scoped NameView name, ref DnsWriter writer)
    {
        foreach (ClusterZone zone in zones)
        {
            if (zone.Owns(name))
            {
                zone.WriteAuthority(name, ref writer);
                return;
            }
        }

        if (FindExpansion(name) is { } expansion)
        {
            primary.WriteSoa(DnsSection.Authority, expansion, ref writer);
        }
        else
        {
            primary.WriteAuthority(name, ref writer);
        }
    }

    public void WriteAlias(scoped ReadOnlySpan<byte> owner, scoped ReadOnlySpan<byte> target, ref DnsWriter writer) =>
        primary.WriteAlias(owner, target, ref writer);

    /// <summary>Whose name it is, in words; null if it is none of ours.</summary>
    public string? OwnerOf(scoped NameView name)
    {
        foreach (ClusterZone zone in zones)
        {
            if (zone.Owns(name))
            {
                return zone.Describe(name);
            }
        }

        return FindExpansion(name) is { } expansion
            ? $"{WireName.ToText(expansion)}, which only a search list makes up: never asked upstream"
            : primary.HasReverse(name) ? "the reverse names of this cluster's Services" : null;
    }

    private byte[]? FindExpansion(scoped NameView name)
    {
        foreach (byte[] expansion in expansions)
        {
            if (name.IsUnder(expansion, out _))
            {
                return expansion;
            }
        }

        return null;
    }
}
