using System.Collections.Immutable;

namespace EdgeMesh.Model;

/// <summary>
/// Collects changes on top of a snapshot; the cost is in proportion to what changed. Setting an object that is already
/// there with equal content changes nothing. Not thread-safe: one source, one update.
/// </summary>
public sealed class MeshUpdate(MeshSnapshot origin)
{
    private readonly ImmutableDictionary<ServiceName, ServiceState>.Builder services = origin.Services.ToBuilder();
    private readonly ImmutableDictionary<NodeName, Node>.Builder nodes = origin.Nodes.ToBuilder();
    private readonly HashSet<ServiceName> changedServices = [];
    private readonly HashSet<NodeName> changedNodes = [];
    private bool isSynced = origin.IsSynced;

    public MeshSnapshot Origin => origin;

    public IReadOnlySet<ServiceName> ChangedServices => changedServices;

    public IReadOnlySet<NodeName> ChangedNodes => changedNodes;

    public bool IsEmpty => changedServices.Count == 0 && changedNodes.Count == 0 && isSynced == origin.IsSynced;

    public void MarkSynced() => isSynced = true;

    public void Set(Service service)
    {
        ServiceState state = StateOf(service.Name);
        if (!ModelEquality.Same(state.Service, service))
        {
            Put(state with { Service = service });
        }
    }

    public void RemoveService(ServiceName name)
    {
        if (services.TryGetValue(name, out ServiceState? state) && state.Service is not null)
        {
            Put(state with { Service = null });
        }
    }

    public void Set(EndpointSlice slice)
    {
        ServiceState state = StateOf(slice.Service);
        int index = IndexOf(state, slice.Key);
        if (index < 0)
        {
            Put(state with { Slices = state.Slices.Add(slice) });
        }
        else if (!ModelEquality.Same(state.Slices[index], slice))
        {
            Put(state with { Slices = state.Slices.SetItem(index, slice) });
        }
    }

    /// <param name="service">The Service the slice belonged to.</param>
    /// <param name="key"><see cref="EndpointSlice.Key"/>.</param>
    public void RemoveSlice(ServiceName service, string key)
    {
        if (services.TryGetValue(service, out ServiceState? state) && IndexOf(state, key) is >= 0 and int index)
        {
            Put(state with { Slices = state.Slices.RemoveAt(index) });
        }
    }

    public void Set(BalancingRule rule)
    {
        ServiceState state = StateOf(rule.Service);
        BalancingRule? old = state.Rules.FirstOrDefault(r => r.Key == rule.Key);
        if (old != rule)
        {
            IEnumerable<BalancingRule> others = state.Rules.Where(r => r.Key != rule.Key);
            Put(state with { Rules = [.. others.Append(rule).OrderBy(r => r.Key, StringComparer.Ordinal)] });
        }
    }

    /// <param name="service">The Service the rule was for.</param>
    /// <param name="key"><see cref="BalancingRule.Key"/>.</param>
    public void RemoveRule(ServiceName service, string key)
    {
        if (services.TryGetValue(service, out ServiceState? state) && state.Rules.Any(r => r.Key == key))
        {
            Put(state with { Rules = state.Rules.RemoveAll(r => r.Key == key) });
        }
    }

    public void Set(Node node)
    {
        if (!nodes.TryGetValue(node.Name, out Node? old) || !ModelEquality.Same(old, node))
        {
            nodes[node.Name] = node;
            changedNodes.Add(node.Name);
        }
    }

    public void RemoveNode(NodeName name)
    {
        if (nodes.Remove(name))
        {
            changedNodes.Add(name);
        }
    }

    public MeshSnapshot ToSnapshot() =>
        IsEmpty ? origin : new MeshSnapshot(services.ToImmutable(), nodes.ToImmutable(), isSynced);

    private ServiceState StateOf(ServiceName name) =>
        services.TryGetValue(name, out ServiceState? state) ? state : new ServiceState(name, null, []);

    private void Put(ServiceState state)
    {
        if (state.Service is null && state.Slices.IsEmpty && state.Rules.IsEmpty)
        {
            services.Remove(state.Name);
        }
        else
        {
            services[state.Name] = state;
        }

        changedServices.Add(state.Name);
    }

    private static int IndexOf(ServiceState state, string key)
    {
        for (int i = 0; i < state.Slices.Length; i++)
        {
            if (state.Slices[i].Key == key)
            {
                return i;
            }
        }

        return -1;
    }
}
