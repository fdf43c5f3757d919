using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>
/// The current Services by name and by address. One writer applies changes, each at a cost in proportion to what changed;
/// any thread looks up without a lock and without making objects.
/// <para>Why not the snapshot's own dictionaries: they need a <see cref="ServiceName"/> of two strings per query. The index
/// refers to the model's objects: measured 330 bytes a Service with its reverse name.</para>
/// </summary>
internal sealed class ServiceIndex
{
    private readonly ConcurrentDictionary<ServiceName, IndexedService> services = new(1, 31, ServiceNameComparer.Instance);
    private readonly ConcurrentDictionary<ServiceName, IndexedService>.AlternateLookup<WireServiceName> byWireName;
    private readonly ConcurrentDictionary<string, int> namespaces = new(1, 31, NamespaceComparer.Instance);
    private readonly ConcurrentDictionary<string, int>.AlternateLookup<ReadOnlySpan<byte>> byNamespaceLabel;
    private readonly ConcurrentDictionary<DnsAddress, ImmutableArray<ReverseOwner>> reverse = new(1, 31);
    private volatile bool isSynced;
    private volatile uint serial = 1;

    public ServiceIndex()
    {
        byWireName = services.GetAlternateLookup<WireServiceName>();
        byNamespaceLabel = namespaces.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>False until the first complete snapshot is in.</summary>
    public bool IsSynced => isSynced;

    /// <summary>SOA serial: grows with every change.</summary>
    public uint Serial => serial;

    public int Count => services.Count;

    public bool TryGet(ReadOnlySpan<byte> space, ReadOnlySpan<byte> name, [NotNullWhen(true)] out IndexedService? service) =>
        byWireName.TryGetValue(new WireServiceName(space, name), out service);

    public bool HasNamespace(ReadOnlySpan<byte> space) => byNamespaceLabel.ContainsKey(space);

    public bool TryGetOwners(DnsAddress address, out ImmutableArray<ReverseOwner> owners) => reverse.TryGetValue(address, out owners);

    /// <summary>One caller at a time, changes in order.</summary>
    public void Apply(MeshChange change)
    {
        foreach (ServiceName name in change.Services)
        {
            Replace(name, IndexedService.From(change.New.Services.GetValueOrDefault(name)));
        }

        serial++;
        isSynced = change.New.IsSynced;
    }

    private void Replace(ServiceName name, IndexedService? next)
    {
        services.TryGetValue(name, out IndexedService? old);
        if (next is not null)
        {
            services[name] = next;
            foreach ((DnsAddress address, ReverseOwner owner) in Reverse(next))
            {
                reverse[address] = reverse.TryGetValue(address, out ImmutableArray<ReverseOwner> owners)
                    ? owners.Contains(owner) ? owners : owners.Add(owner)
                    : [owner];
            }
        }
        else if (old is not null)
        {
            services.TryRemove(name, out _);
        }

        if (old is not null)
        {
            HashSet<(DnsAddress, ReverseOwner)> kept = next is null ? [] : [.. Reverse(next)];
            foreach ((DnsAddress address, ReverseOwner owner) in Reverse(old))
            {
                if (!kept.Contains((address, owner)))
                {
                    Forget(address, owner);
                }
            }
        }

        CountIn(name.Namespace, (next is null ? 0 : 1) - (old is null ? 0 : 1));
    }

    private void Forget(DnsAddress address, ReverseOwner owner)
    {
        if (reverse.TryGetValue(address, out ImmutableArray<ReverseOwner> owners))
        {
            owners = owners.Remove(owner);
            if (owners.IsEmpty)
            {
                reverse.TryRemove(address, out _);
            }
            else
            {
                reverse[address] = owners;
            }
        }
    }

    private void CountIn(string space, int difference)
    {
        int count = namespaces.GetValueOrDefault(space) + difference;
        if (count == 0)
        {
            namespaces.TryRemove(space, out _);
        }
        else if (difference != 0)
        {
            namespaces[space] = count;
        }
    }

    private static IEnumerable<(DnsAddress Address, ReverseOwner Owner)> Reverse(IndexedService service)
    {
        foreach (IPAddress address in service.Service.ClusterIPs)
        {
            yield return (DnsAddress.From(address), new ReverseOwner(service.Service.Name, null));
        }

        foreach (HeadlessEndpoint endpoint in service.Endpoints)
        {
            yield return (endpoint.Address, new ReverseOwner(service.Service.Name, endpoint.Label));
        }
    }
}
