using System.Collections.Immutable;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// What the API has said, as the model: lists replace, events change, and each batch is published once. The only publisher of
/// its cell. Any thread.
/// </summary>
internal sealed class ApiModel(SnapshotCell cell, TimeProvider time)
{
    private const int MaxFaults = 100;

    private readonly Lock gate = new(); // guards everything below
    private readonly StringPool pool = new();
    private readonly Dictionary<ObjectKey, string> faults = [];
    private readonly HashSet<ObjectKind> listed = [];

    // A slice is found by its own name, the model has it under its Service.
    private readonly Dictionary<string, ServiceName> sliceOwners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ServiceName> ruleOwners = new(StringComparer.Ordinal);
    private MeshUpdate? batch;
    private MeshSnapshot counted = MeshSnapshot.Empty;
    private int services;

    /// <summary>When the model last changed.</summary>
    public DateTimeOffset LastChange { get; private set; }

    /// <summary>There is a state to serve from.</summary>
    public bool IsSynced => cell.Current.IsSynced;

    /// <summary>Services and slices have been listed.</summary>
    public bool IsListed
    {
        get
        {
            lock (gate)
            {
                return listed.Contains(ObjectKind.Service) && listed.Contains(ObjectKind.EndpointSlice);
            }
        }
    }

    /// <summary>Objects that could not be read.</summary>
    public ImmutableArray<string> Faults
    {
        get
        {
            lock (gate)
            {
                return [.. faults.Values.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Takes what was kept on disk as the beginning.</summary>
    public bool Restore(SnapshotStore store, out DateTimeOffset savedAt)
    {
        lock (gate)
        {
            MeshUpdate update = new(cell.Current);
            if (!store.TryRestore(update, out savedAt))
            {
                return false;
            }

            cell.Publish(update);
            foreach (ServiceState state in cell.Current.Services.Values)
            {
                foreach (EndpointSlice slice in state.Slices)
                {
                    sliceOwners[slice.Key] = state.Name;
                }

                foreach (BalancingRule rule in state.Rules)
                {
                    ruleOwners[rule.Key] = state.Name;
                }
            }

            return true;
        }
    }

    /// <summary>Reads one object; null if it is of no use or broken, which is then among the faults.</summary>
    public IReadOnlyList<MappedObject> Read(ApiResource resource, ReadOnlySpan<byte> json)
    {
        lock (gate)
        {
            return Map(resource, JsonReader.Read(json, pool, countLines: false));
        }
    }

    /// <summary>One event of a watch, without its line end.</summary>
    /// <returns>Its type, and the object's resourceVersion.</returns>
    /// <exception cref="ApiException">It is an ERROR, or nothing that can be read.</exception>
    public WatchEvent ReadEvent(ApiResource resource, ReadOnlySpan<byte> json)
    {
        lock (gate)
        {
            Datum told;
            try
            {
                told = JsonReader.Read(json, pool, countLines: false);
            }
            catch (DocumentException fault)
            {
                throw new ApiException(ApiException.Garbled, $"an event of the watch is {fault.Message}");
            }

            Datum subject = told["object"];
            string type = told["type"].Text;
            return type switch
            {
                "ERROR" => throw new ApiException(int.TryParse(subject["code"].Text, out int code) ? code : 500, $"the watch ends: {subject["message"].Text}"),
                "BOOKMARK" => new WatchEvent(
                    type, subject["metadata"]["resourceVersion"].Text, default, [], json.IndexOf("k8s.io/initial-events-end"u8) >= 0),
                "ADDED" or "MODIFIED" or "DELETED" => new WatchEvent(
                    type, subject["metadata"]["resourceVersion"].Text, KeyOf(resource.Kind, subject), type == "DELETED" ? [] : Map(resource, subject)),
                _ => throw new ApiException(ApiException.Garbled, $"an event of the watch is of the unknown type '{type}'"),
            };
        }
    }

    /// <summary>A list is complete: what it lacks is gone.</summary>
    public void Replace(ApiResource resource, IReadOnlyList<MappedObject> objects)
    {
        lock (gate)
        {
            MeshUpdate update = Begin();
            HashSet<ObjectKey> present = new(objects.Count);
            foreach (MappedObject each in objects)
            {
                present.Add(each.Key);
                PutOne(each, update);
            }

            foreach (ObjectKey gone in KeysOf(resource.Kind, update).Where(key => !present.Contains(key)).ToList())
            {
                RemoveOne(gone, update);
            }

            foreach (ObjectKey mended in faults.Keys.Where(key => key.Kind == resource.Kind && present.Contains(key)).ToList())
            {
                faults.Remove(mended);
            }

            listed.Add(resource.Kind);
            Commit();
        }
    }

    /// <summary>Adds and changes, removes nothing.</summary>
    public void Merge(ApiResource resource, IReadOnlyList<MappedObject> objects)
    {
        lock (gate)
        {
            MeshUpdate update = Begin();
            foreach (MappedObject each in objects)
            {
                PutOne(each, update);
            }

            listed.Add(resource.Kind);
            Commit();
        }
    }

    /// <summary>Takes an event over; <see cref="Commit"/> publishes.</summary>
    public void Take(ApiResource resource, WatchEvent told)
    {
        lock (gate)
        {
            MeshUpdate update = Begin();
            if (resource.IsEndpoints && told.Type != "BOOKMARK")
            {
                // One object stands for all slices of its Service.
                foreach (ObjectKey each in sliceOwners.Where(pair => pair.Value == new ServiceName(told.Key.Namespace, told.Key.Name)).Select(pair => SliceKey(pair.Key)).ToList())
                {
                    RemoveOne(each, update);
                }
            }

            if (told.Type == "DELETED" || (told.Type != "BOOKMARK" && told.Objects.Count == 0))
            {
                // What cannot be read any more, or is of no use any more, is served no longer.
                RemoveOne(told.Key, update);
            }

            foreach (MappedObject each in told.Objects)
            {
                faults.Remove(each.Key);
                PutOne(each, update);
            }
        }
    }

    /// <summary>Publishes what was taken since the last time.</summary>
    public void Commit()
    {
        lock (gate)
        {
            if (batch is not { } update)
            {
                return;
            }

            batch = null;
            if (listed.Contains(ObjectKind.Service) && listed.Contains(ObjectKind.EndpointSlice))
            {
                update.MarkSynced();
            }

            if (!update.IsEmpty)
            {
                cell.Publish(update);
                LastChange = time.GetUtcNow();
                KubeMetrics.Changed();
            }
        }
    }

    /// <summary>Whether the model has the object.</summary>
    public bool Has(ObjectKey key)
    {
        lock (gate)
        {
            MeshSnapshot now = cell.Current;
            return key.Kind switch
            {
                ObjectKind.Service => now.Services.TryGetValue(new ServiceName(key.Namespace, key.Name), out ServiceState? state) && state.Service is not null,
                ObjectKind.EndpointSlice => sliceOwners.ContainsKey($"{key.Namespace}/{key.Name}"),
                ObjectKind.DestinationRule => ruleOwners.ContainsKey($"{key.Namespace}/{key.Name}"),
                _ => NodeName.TryParse(key.Name, out NodeName node) && now.Nodes.ContainsKey(node),
            };
        }
    }

    /// <summary>Counts of Services, slices and Nodes.</summary>
    public (int Services, int Slices, int Nodes) Count()
    {
        lock (gate)
        {
            if (!ReferenceEquals(counted, cell.Current))
            {
                counted = cell.Current;
                services = counted.Services.Values.Count(static state => state.Service is not null);
            }

            return (services, sliceOwners.Count, counted.Nodes.Count);
        }
    }

    private MeshUpdate Begin() => batch ??= new MeshUpdate(cell.Current);

    private List<MappedObject> Map(ApiResource resource, Datum item)
    {
        List<MappedObject> mapped = [];
        List<Fault> found = [];
        ObjectMapper mapper = new(pool);
        foreach (Datum each in resource.IsEndpoints ? EndpointsMapper.ToSlices(item) : [item])
        {
            if (mapper.MapItem(resource.Kind, each, found) is { } good)
            {
                mapped.Add(good);
            }
        }

        if (found.Find(fault => !fault.IsWarning || resource.IsOptional) is { Reason: { Length: > 0 } reason } && faults.Count < MaxFaults)
        {
            faults[KeyOf(resource.Kind, item)] = reason;
        }

        return mapped;
    }

    private void PutOne(MappedObject each, MeshUpdate update)
    {
        if (each.Value is EndpointSlice slice)
        {
            if (sliceOwners.TryGetValue(slice.Key, out ServiceName owner) && owner != slice.Service)
            {
                update.RemoveSlice(owner, slice.Key);
            }

            sliceOwners[slice.Key] = slice.Service;
        }

        if (each.Value is BalancingRule rule)
        {
            if (ruleOwners.TryGetValue(rule.Key, out ServiceName owner) && owner != rule.Service)
            {
                update.RemoveRule(owner, rule.Key);
            }

            ruleOwners[rule.Key] = rule.Service;
        }

        each.PutInto(update);
    }

    private void RemoveOne(ObjectKey key, MeshUpdate update)
    {
        faults.Remove(key);
        switch (key.Kind)
        {
            case ObjectKind.Service:
                update.RemoveService(new ServiceName(key.Namespace, key.Name));
                break;
            case ObjectKind.EndpointSlice when sliceOwners.Remove($"{key.Namespace}/{key.Name}", out ServiceName owner):
                update.RemoveSlice(owner, $"{key.Namespace}/{key.Name}");
                break;
            case ObjectKind.DestinationRule when ruleOwners.Remove($"{key.Namespace}/{key.Name}", out ServiceName owner):
                update.RemoveRule(owner, $"{key.Namespace}/{key.Name}");
                break;
            case ObjectKind.Node when NodeName.TryParse(key.Name, out NodeName node):
                update.RemoveNode(node);
                break;
        }
    }

    private IEnumerable<ObjectKey> KeysOf(ObjectKind kind, MeshUpdate update) => kind switch
    {
        ObjectKind.Service => update.Origin.Services.Values.Where(static state => state.Service is not null)
            .Select(static state => new ObjectKey(ObjectKind.Service, state.Name.Namespace, state.Name.Name)),
        ObjectKind.EndpointSlice => sliceOwners.Keys.Select(SliceKey),
        ObjectKind.DestinationRule => ruleOwners.Keys.Select(static key => SliceKey(key) with { Kind = ObjectKind.DestinationRule }),
        _ => update.Origin.Nodes.Keys.Select(static name => new ObjectKey(ObjectKind.Node, "", name.Value)),
    };

    private static ObjectKey SliceKey(string key)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return new ObjectKey(ObjectKind.EndpointSlice, key[..slash], key[(slash + 1)..]);
    }

    private static ObjectKey KeyOf(ObjectKind kind, Datum item) =>
        new(kind, kind == ObjectKind.Node ? "" : item["metadata"]["namespace"].Text, item["metadata"]["name"].Text);
}
