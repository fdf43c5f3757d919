using System.Collections.Immutable;
using System.Net;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>
/// The cluster's own names (kubernetes/dns specification 1.1.0) under one cluster domain, the alias zones beside it, and the
/// reverse names of the addresses it gave. Pure: the index it is given decides.
/// </summary>
internal sealed class ClusterZone
{
    private const uint Refresh = 7200;
    private const uint Retry = 1800;
    private const uint Expire = 86400;

    private readonly ServiceIndex index;
    private readonly byte[] domain;
    private readonly ImmutableArray<byte[]> aliases;
    private readonly byte[] nameServer;
    private readonly byte[] mailbox;
    private readonly ImmutableArray<DnsAddress> listenAddresses;
    private readonly uint ttl;

    public ClusterZone(ServiceIndex index, string domain, IEnumerable<string> aliases, IEnumerable<IPAddress> listenAddresses, uint ttl)
    {
        this.index = index;
        this.domain = WireName.FromText(domain);
        this.aliases = [.. aliases.Select(WireName.FromText).OrderByDescending(alias => alias.Length)];
        nameServer = WireName.FromText("ns.dns." + domain);
        mailbox = WireName.FromText("hostmaster." + domain);
        this.listenAddresses = [.. listenAddresses.Select(DnsAddress.From)];
        this.ttl = ttl;
    }

    /// <summary>The cluster domain as it stands in a message.</summary>
    public byte[] Domain => domain;

    /// <summary>True for a name below the cluster domain or an alias zone.</summary>
    public bool Owns(scoped NameView name) => name.IsUnder(domain, out _) || AliasOf(name, out _) is not null;

    /// <summary>Writes the records of <paramref name="name"/> into the answer section.</summary>
    /// <param name="name">The name asked for, or the target of an alias on the way.</param>
    /// <param name="query">Type and class; its id rotates answers.</param>
    /// <param name="writer">The answer so far.</param>
    /// <param name="target">With <see cref="ZoneResult.Alias"/>: the next name, written here; at least 255 bytes.</param>
    /// <param name="targetLength">Its length; 0 if the Service's external name is no name.</param>
    public ZoneResult Answer(scoped NameView name, scoped in DnsQuery query, ref DnsWriter writer, scoped Span<byte> target, out int targetLength)
    {
        targetLength = 0;
        bool inAlias = AliasOf(name, out int below) is not null;
        if (!inAlias && !name.IsUnder(domain, out below))
        {
            return ZoneResult.NotMine;
        }

        if (query.Class is not (DnsType.ClassIn or DnsType.ClassAny) || query.Type is DnsType.Axfr or DnsType.Ixfr)
        {
            return ZoneResult.Refused;
        }

        if (!index.IsSynced)
        {
            return ZoneResult.NotReady;
        }

        if (below == 0)
        {
            return Apex(name, query, ref writer);
        }

        if (inAlias)
        {
            return Alias(name, below, query, ref writer, target, out targetLength);
        }

        ReadOnlySpan<byte> kind = name[below - 1];
        if (kind.SequenceEqual("svc"u8))
        {
            return below switch
            {
                1 => ZoneResult.NoData,
                2 => index.HasNamespace(name[0]) ? ZoneResult.NoData : ZoneResult.NameError,
                _ => Service(name, below - 3, name[below - 2], query, ref writer, target, out targetLength),
            };
        }

        if (kind.SequenceEqual("pod"u8))
        {
            return Pod(name, below, query, ref writer);
        }

        if (kind.SequenceEqual("dns-version"u8) && below == 1)
        {
            return Version(name, query, ref writer);
        }

        if (kind.SequenceEqual("dns"u8) && below <= 2 && (below == 1 || name[0].SequenceEqual("ns"u8)))
        {
            return below == 2 && WriteListenAddresses(DnsSection.Answer, query.Type, ref writer) ? ZoneResult.Answer : ZoneResult.NoData;
        }

        return ZoneResult.NameError;
    }

    /// <summary>The SOA that makes a negative answer cacheable, for as long as our answers are (RFC 2308 section 3).</summary>
    public void WriteAuthority(scoped NameView name, ref DnsWriter writer) =>
        WriteSoa(DnsSection.Authority, AliasOf(name, out _) ?? domain, ref writer);

    public void WriteAlias(scoped ReadOnlySpan<byte> owner, scoped ReadOnlySpan<byte> target, ref DnsWriter writer)
    {
        writer.BeginRecord(DnsSection.Answer, owner, DnsType.Cname, ttl);
        writer.WriteName(target, compress: true);
        writer.EndRecord();
    }

    /// <summary>The zone of a name that it <see cref="Owns"/>, in words.</summary>
    public string Describe(scoped NameView name) =>
        name.IsUnder(domain, out _) ? $"cluster domain {WireName.ToText(domain)}" : $"alias zone {WireName.ToText(AliasOf(name, out _))}";

    public bool HasReverse(scoped NameView name) => ReverseName.TryRead(name, out DnsAddress address) && index.TryGetOwners(address, out _);

    private byte[]? AliasOf(scoped NameView name, out int below)
    {
        below = 0;
        foreach (byte[] alias in aliases)
        {
            if (name.IsUnder(alias, out below))
            {
                return alias;
            }
        }

        return null;
    }

    // <service>.<alias> is in namespace default, <service>.<namespace>.<alias> in that namespace.
    private ZoneResult Alias(
        scoped NameView name, int below, scoped in DnsQuery query, ref DnsWriter writer, scoped Span<byte> target, out int targetLength)
    {
        bool isDefault = below == 1
            || (below == 2 && name[0].StartsWith("_"u8))
            || (below == 3 && name[0].StartsWith("_"u8) && name[1].StartsWith("_"u8));
        ZoneResult result = Service(
            name, isDefault ? below - 1 : below - 2, isDefault ? "default"u8 : name[below - 1], query, ref writer, target, out targetLength);
        return result == ZoneResult.NameError && below == 1 && index.HasNamespace(name[0]) ? ZoneResult.NoData : result;
    }

    // The Service's label is at position `at`; labels in front of it name an endpoint or a port.
    private ZoneResult Service(
        scoped NameView name,
        int at,
        scoped ReadOnlySpan<byte> space,
        scoped in DnsQuery query,
        ref DnsWriter writer,
        scoped Span<byte> target,
        out int targetLength)
    {
        targetLength = 0;
        if (at > 2 || !index.TryGet(space, name[at], out IndexedService? found))
        {
            return ZoneResult.NameError;
        }

        Service service = found.Service;
        if (service.Type == ServiceType.ExternalName)
        {
            if (at > 0)
            {
                return ZoneResult.NameError;
            }

            if (!WireName.TryFromText(service.ExternalName, target, out targetLength))
            {
                targetLength = 0;
            }

            return ZoneResult.Alias;
        }

        // A headless Service with nothing to publish does not exist for DNS, and neither do its ports.
        if (service.IsHeadless && found.Endpoints.IsEmpty)
        {
            return ZoneResult.NameError;
        }

        return at switch
        {
            0 => service.IsHeadless
                ? HeadlessAddresses(name, found.Endpoints, default, query, ref writer)
                : ClusterAddresses(DnsSection.Answer, name.Wire, service, query.Type, ref writer),
            1 when name[0].StartsWith("_"u8) => HasNamedPort(service, name[0]) ? ZoneResult.NoData : ZoneResult.NameError,
            1 when service.IsHeadless => HeadlessAddresses(name, found.Endpoints, name[0], query, ref writer),
            2 => Ports(name, found, query, ref writer),
            _ => ZoneResult.NameError,
        };
    }

    private ZoneResult ClusterAddresses(
        DnsSection section, scoped ReadOnlySpan<byte> owner, Service service, ushort type, ref DnsWriter writer)
    {
        ZoneResult result = ZoneResult.NoData;
        foreach (IPAddress address in service.ClusterIPs)
        {
            if (DnsAddress.Matches(address, type))
            {
                WriteAddress(section, owner, DnsAddress.From(address), ref writer);
                result = ZoneResult.Answer;
            }
        }

        return result;
    }

    private ZoneResult HeadlessAddresses(
        scoped NameView name, ImmutableArray<HeadlessEndpoint> endpoints, scoped ReadOnlySpan<byte> label, scoped in DnsQuery query, ref DnsWriter writer)
    {
        bool exists = label.IsEmpty;
        bool any = false;
        for (int i = 0; i < endpoints.Length; i++)
        {
            // The client's random id spreads clients over endpoints; no state, no lock.
            HeadlessEndpoint endpoint = endpoints[(i + query.Id) % endpoints.Length];
            if (label.IsEmpty ? !endpoint.IsFirstOfAddress : !label.SequenceEqual(endpoint.Label))
            {
                continue;
            }

            exists = true;
            if (query.Type == endpoint.Address.RecordType || query.Type == DnsType.Any)
            {
                WriteAddress(DnsSection.Answer, name.Wire, endpoint.Address, ref writer);
                any = true;
            }
        }

        return any ? ZoneResult.Answer : exists ? ZoneResult.NoData : ZoneResult.NameError;
    }

    private ZoneResult Ports(scoped NameView name, IndexedService found, scoped in DnsQuery query, ref DnsWriter writer)
    {
        if (FindPort(found.Service, name[0], name[1]) is not { } port)
        {
            return ZoneResult.NameError;
        }

        if (query.Type is not (DnsType.Srv or DnsType.Any))
        {
            return ZoneResult.NoData;
        }

        Span<byte> target = stackalloc byte[WireName.MaxLength];
        if (!found.Service.IsHeadless)
        {
            int length = WriteCanonicalName(found.Service.Name, default, target);
            WriteSrv(name.Wire, 100, port.Port, target[..length], ref writer);
            ClusterAddresses(DnsSection.Additional, target[..length], found.Service, DnsType.Any, ref writer);
            return ZoneResult.Answer;
        }

        return HeadlessPorts(name, found, port, query.Id, target, ref writer);
    }

    private ZoneResult HeadlessPorts(
        scoped NameView name, IndexedService found, ServicePort port, int rotation, scoped Span<byte> target, ref DnsWriter writer)
    {
        ImmutableArray<HeadlessEndpoint> endpoints = found.Endpoints;
        ushort weight = (ushort)Math.Max(1, 100 / endpoints.Length);
        bool any = false;
        for (int i = 0; i < endpoints.Length; i++)
        {
            HeadlessEndpoint endpoint = endpoints[(i + rotation) % endpoints.Length];
            if (endpoint.IsFirstOfTarget && EndpointPortOf(endpoint, port) is { } number)
            {
                int length = WriteCanonicalName(found.Service.Name, endpoint.Label, target);
                WriteSrv(name.Wire, weight, number, target[..length], ref writer);
                any = true;
            }
        }

        for (int i = 0; i < endpoints.Length && any && !writer.IsTruncated; i++)
        {
            HeadlessEndpoint endpoint = endpoints[(i + rotation) % endpoints.Length];
            if (EndpointPortOf(endpoint, port) is not null)
            {
                int length = WriteCanonicalName(found.Service.Name, endpoint.Label, target);
                WriteAddress(DnsSection.Additional, target[..length], endpoint.Address, ref writer);
            }
        }

        return any ? ZoneResult.Answer : ZoneResult.NoData;
    }

    private ZoneResult Pod(scoped NameView name, int below, scoped in DnsQuery query, ref DnsWriter writer)
    {
        // Any namespace may have pods without Services, and the model holds Services: a namespace is believed to exist.
        if (below <= 2)
        {
            return ZoneResult.NoData;
        }

        if (below > 3 || !PodLabel.TryRead(name[0], out DnsAddress address))
        {
            return ZoneResult.NameError;
        }

        if (query.Type != address.RecordType && query.Type != DnsType.Any)
        {
            return ZoneResult.NoData;
        }

        WriteAddress(DnsSection.Answer, name.Wire, address, ref writer);
        return ZoneResult.Answer;
    }

    private ZoneResult Version(scoped NameView name, scoped in DnsQuery query, ref DnsWriter writer)
    {
        if (query.Type is not (DnsType.Txt or DnsType.Any))
        {
            return ZoneResult.NoData;
        }

        writer.BeginRecord(DnsSection.Answer, name.Wire, DnsType.Txt, ttl);
        writer.WriteBytes("\u00051.1.0"u8);
        writer.EndRecord();
        return ZoneResult.Answer;
    }

    private ZoneResult Apex(scoped NameView name, scoped in DnsQuery query, ref DnsWriter writer)
    {
        bool any = query.Type == DnsType.Any;
        if (any || query.Type == DnsType.Soa)
        {
            WriteSoa(DnsSection.Answer, name.Wire, ref writer);
        }

        if (any || query.Type == DnsType.Ns)
        {
            writer.BeginRecord(DnsSection.Answer, name.Wire, DnsType.Ns, ttl);
            writer.WriteName(nameServer, compress: true);
            writer.EndRecord();
            WriteListenAddresses(DnsSection.Additional, DnsType.Any, ref writer);
        }

        return any || query.Type is DnsType.Soa or DnsType.Ns ? ZoneResult.Answer : ZoneResult.NoData;
    }

    /// <summary>PTR of the addresses the cluster gave; all other names are not ours.</summary>
    public ZoneResult Reverse(scoped NameView name, scoped in DnsQuery query, ref DnsWriter writer)
    {
        if (query.Class != DnsType.ClassIn || !ReverseName.TryRead(name, out DnsAddress address))
        {
            return ZoneResult.NotMine;
        }

        if (!index.IsSynced)
        {
            return ZoneResult.NotReady;
        }

        if (!index.TryGetOwners(address, out ImmutableArray<ReverseOwner> owners))
        {
            return ZoneResult.NotMine;
        }

        if (query.Type is not (DnsType.Ptr or DnsType.Any))
        {
            return ZoneResult.NoData;
        }

        Span<byte> target = stackalloc byte[WireName.MaxLength];
        foreach (ReverseOwner owner in owners)
        {
            int length = WriteCanonicalName(owner.Service, owner.EndpointLabel, target);
            writer.BeginRecord(DnsSection.Answer, name.Wire, DnsType.Ptr, ttl);
            writer.WriteName(target[..length], compress: true);
            writer.EndRecord();
        }

        return ZoneResult.Answer;
    }

    private bool WriteListenAddresses(DnsSection section, ushort type, ref DnsWriter writer)
    {
        bool any = false;
        foreach (DnsAddress address in listenAddresses)
        {
            if (type == DnsType.Any || type == address.RecordType)
            {
                WriteAddress(section, nameServer, address, ref writer);
                any = true;
            }
        }

        return any;
    }

    private void WriteAddress(DnsSection section, scoped ReadOnlySpan<byte> owner, DnsAddress address, ref DnsWriter writer)
    {
        writer.BeginRecord(section, owner, address.RecordType, ttl);
        address.Write(ref writer);
        writer.EndRecord();
    }

    private void WriteSrv(scoped ReadOnlySpan<byte> owner, ushort weight, ushort port, scoped ReadOnlySpan<byte> target, ref DnsWriter writer)
    {
        writer.BeginRecord(DnsSection.Answer, owner, DnsType.Srv, ttl);
        writer.WriteUInt16(0);
        writer.WriteUInt16(weight);
        writer.WriteUInt16(port);
        writer.WriteName(target, compress: false);
        writer.EndRecord();
    }

    public void WriteSoa(DnsSection section, scoped ReadOnlySpan<byte> owner, ref DnsWriter writer)
    {
        writer.BeginRecord(section, owner, DnsType.Soa, ttl);
        writer.WriteName(nameServer, compress: true);
        writer.WriteName(mailbox, compress: true);
        writer.WriteUInt32(index.Serial);
        writer.WriteUInt32(Refresh);
        writer.WriteUInt32(Retry);
        writer.WriteUInt32(Expire);
        writer.WriteUInt32(ttl);
        writer.EndRecord();
    }

    private int WriteCanonicalName(ServiceName service, scoped ReadOnlySpan<byte> endpoint, scoped Span<byte> name)
    {
        int at = 0;
        if (!endpoint.IsEmpty)
        {
            name[at++] = (byte)endpoint.Length;
            endpoint.CopyTo(name[at..]);
            at += endpoint.Length;
        }

        at = AppendLabel(service.Name, name, at);
        at = AppendLabel(service.Namespace, name, at);
        at = AppendLabel("svc", name, at);
        domain.CopyTo(name[at..]);
        return at + domain.Length;
    }

    private static int AppendLabel(string label, scoped Span<byte> name, int at)
    {
        name[at] = (byte)label.Length;
        Encoding.ASCII.GetBytes(label, name[(at + 1)..]);
        return at + 1 + label.Length;
    }

    // `_tcp.svc...` exists as the parent of the names of its ports.
    private static bool HasNamedPort(Service service, ReadOnlySpan<byte> protocol)
    {
        foreach (ServicePort candidate in service.Ports)
        {
            if (candidate.Name.Length > 0 && protocol[1..].SequenceEqual(ProtocolLabel(candidate.Protocol)))
            {
                return true;
            }
        }

        return false;
    }

    private static ServicePort? FindPort(Service service, scoped ReadOnlySpan<byte> port, ReadOnlySpan<byte> protocol)
    {
        if (!port.StartsWith("_"u8) || !protocol.StartsWith("_"u8))
        {
            return null;
        }

        foreach (ServicePort candidate in service.Ports)
        {
            if (candidate.Name.Length > 0
                && protocol[1..].SequenceEqual(ProtocolLabel(candidate.Protocol))
                && Ascii.EqualsIgnoreCase(port[1..], candidate.Name))
            {
                return candidate;
            }
        }

        return null;
    }

    private static ReadOnlySpan<byte> ProtocolLabel(TransportProtocol protocol) => protocol switch
    {
        TransportProtocol.Tcp => "tcp"u8,
        TransportProtocol.Udp => "udp"u8,
        _ => "sctp"u8,
    };

    private static ushort? EndpointPortOf(HeadlessEndpoint endpoint, ServicePort port)
    {
        foreach (EndpointPort candidate in endpoint.Ports)
        {
            if (candidate.Protocol == port.Protocol && candidate.Name == port.Name)
            {
                return candidate.Port ?? port.Port;
            }
        }

        return null;
    }
}
