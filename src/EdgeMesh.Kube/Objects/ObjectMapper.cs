using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>
/// Kubernetes objects to model objects: pure, and the same for every source. An object with a fault is left out and its faults
/// are added to the list; what to do then (keep a file's last good state, skip one object of an API list) is the source's business.
/// </summary>
/// <param name="pool">Shares the strings that stay in the model.</param>
/// <param name="ignored">Told of each object of a kind that the mesh does not use: its apiVersion and kind, and its line.</param>
internal sealed class ObjectMapper(StringPool pool, Action<string, int>? ignored = null)
{
    private const string DiscoveryVersion = "discovery.k8s.io/v1";

    /// <summary>One document: an object, or a list of them (<c>List</c>, <c>ServiceList</c>, ...).</summary>
    public void Map(Datum document, ICollection<MappedObject> objects, List<Fault> faults) =>
        Map(document, "", "", objects, faults);

    /// <summary>One item of a typed list, which need not repeat its kind. Null when it is of no use to the mesh or has a fault.</summary>
    public MappedObject? MapItem(ObjectKind kind, Datum item, List<Fault> faults)
    {
        if (item.Kind != DatumKind.Map)
        {
            faults.Add(new Fault(item.Line, $"an object must be a map, not {item.Describe()}"));
            return null;
        }

        Mapping naming = new(pool, faults, new ObjectKey(kind, "", ""), item.Line);
        Fields metadata = new Fields(item, "", naming).Inner("metadata", "metadata");
        string name = metadata.Text("name") ?? "";
        string space = kind == ObjectKind.Node ? "" : metadata.Text("namespace") is { Length: > 0 } given ? given : "default";
        ObjectKey key = new(kind, pool.Share(space), name);
        if (!(kind == ObjectKind.Service ? DnsName.IsLabel(name) : DnsName.IsSubdomain(name)) && !naming.IsBroken)
        {
            metadata.Fault("name", name.Length == 0 ? "is missing" : $"\"{name}\" is not a name: lower-case letters, digits and '-'");
        }

        if (kind != ObjectKind.Node && !DnsName.IsLabel(space))
        {
            metadata.Fault("namespace", $"\"{space}\" is not a namespace: lower-case letters, digits and '-'");
        }

        if (naming.IsBroken)
        {
            return null;
        }

        Mapping mapping = new(pool, faults, key, item.Line);
        Fields root = new(item, "", mapping);
        object? value = kind switch
        {
            ObjectKind.Service => ServiceMapper.Map(root),
            ObjectKind.EndpointSlice => SliceMapper.Map(root),
            ObjectKind.DestinationRule => RuleMapper.Map(root),
            _ => NodeMapper.Map(root),
        };
        return value is null || mapping.IsBroken ? null : new MappedObject(key, item.Line, value);
    }

    // Items of a typed list may leave apiVersion and kind out: the list's own stand for them.
    private void Map(Datum document, string listVersion, string listKind, ICollection<MappedObject> objects, List<Fault> faults)
    {
        if (document.Kind != DatumKind.Map)
        {
            faults.Add(new Fault(document.Line, $"a Kubernetes object is a map with apiVersion and kind, not {document.Describe()}"));
            return;
        }

        string version = document["apiVersion"] is { Kind: DatumKind.String } v ? v.Text : listVersion;
        string kind = document["kind"] is { Kind: DatumKind.String } k ? k.Text : listKind;
        if (version.Length == 0 || kind.Length == 0)
        {
            faults.Add(new Fault(document.Line, $"a Kubernetes object needs {(version.Length == 0 ? "apiVersion" : "kind")}"));
            return;
        }

        switch (version, kind)
        {
            case ("v1", "Service"):
                Add(ObjectKind.Service, document, objects, faults);
                break;
            case ("v1", "Node"):
                Add(ObjectKind.Node, document, objects, faults);
                break;
            case (DiscoveryVersion, "EndpointSlice"):
                Add(ObjectKind.EndpointSlice, document, objects, faults);
                break;
            case ("networking.istio.io/v1" or "networking.istio.io/v1beta1" or "networking.istio.io/v1alpha3", "DestinationRule"):
                Add(ObjectKind.DestinationRule, document, objects, faults);
                break;
            case (_, "EndpointSlice"):
                faults.Add(new Fault(document.Line, $"EndpointSlice needs apiVersion {DiscoveryVersion}, not \"{version}\""));
                break;
            case ("v1", "List" or "ServiceList" or "NodeList") or (DiscoveryVersion, "EndpointSliceList"):
                string itemKind = kind[..^"List".Length];
                foreach (Datum item in ItemsOf(document, kind, faults))
                {
                    Map(item, itemKind.Length == 0 ? "" : version, itemKind, objects, faults);
                }

                break;
            default:
                ignored?.Invoke($"{version} {kind}", document.Line);
                break;
        }
    }

    private static IReadOnlyList<Datum> ItemsOf(Datum document, string kind, List<Fault> faults)
    {
        Datum items = document["items"];
        if (items.Kind is not (DatumKind.List or DatumKind.Null))
        {
            faults.Add(new Fault(items.Line, $"{kind}: items must be a list, not {items.Describe()}"));
        }

        return items.Items;
    }

    private void Add(ObjectKind kind, Datum item, ICollection<MappedObject> objects, List<Fault> faults)
    {
        if (MapItem(kind, item, faults) is MappedObject mapped)
        {
            objects.Add(mapped);
        }
    }
}
