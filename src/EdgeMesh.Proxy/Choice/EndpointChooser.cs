using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>
/// Which endpoints of a Service port may be used from this node: the rules of kube-proxy's endpoint slice cache (grouping,
/// de-duplication) and of its topology code (conditions, traffic policy, hints). Pure.
/// <para><c>trafficDistribution</c> itself is not read: the slice controller turns it into hints, and so do we follow them.</para>
/// </summary>
internal static class EndpointChooser
{
    public static ChosenEndpoints Choose(
        Service service, ServicePort port, ImmutableArray<EndpointSlice> slices, AddressFamily family, NodeName self, string? zone,
        TrafficPolicy policy)
    {
        List<EndpointAt> all = Collect(slices, port, family);
        List<EndpointAt> ready = all.FindAll(e => IsReady(service, e.Endpoint));
        List<EndpointAt> leaving = all.FindAll(e => e.Endpoint.IsServing && e.Endpoint.IsTerminating);
        if (policy == TrafficPolicy.Local)
        {
            List<EndpointAt> local = ready.FindAll(e => e.Endpoint.Node == self);
            if (local.Count == 0)
            {
                local = leaving.FindAll(e => e.Endpoint.Node == self);
            }

            return local.Count > 0 ? new ChosenEndpoints(PortAction.Serve, [.. local])
                : new ChosenEndpoints(ready.Count + leaving.Count > 0 ? PortAction.Drop : PortAction.Reject, []);
        }

        List<EndpointAt> usable = ready.Count > 0 ? FollowHints(ready, self, zone) : leaving;
        return new ChosenEndpoints(usable.Count > 0 ? PortAction.Serve : PortAction.Reject, [.. usable]);
    }

    private static bool IsReady(Service service, Endpoint endpoint) =>
        endpoint.IsReady || (service.PublishNotReadyAddresses && !endpoint.IsTerminating);

    /// <summary>Endpoints of all slices whose port has this name and protocol. During a move one stands in two slices for a moment.</summary>
    private static List<EndpointAt> Collect(ImmutableArray<EndpointSlice> slices, ServicePort port, AddressFamily family)
    {
        List<EndpointAt> found = [];
        Dictionary<(IPAddress, ushort, NodeName?), int>? seen = null;
        foreach (EndpointSlice slice in slices)
        {
            if (slice.Family != family)
            {
                continue;
            }

            foreach (EndpointPort p in slice.Ports)
            {
                if (p.Name != port.Name || p.Protocol != port.Protocol || p.Port is not ushort number)
                {
                    continue;
                }

                seen ??= [];
                foreach (Endpoint endpoint in slice.Endpoints)
                {
                    // Nodes without a CNI have the same pod addresses, so the node is part of who an endpoint is.
                    (IPAddress, ushort, NodeName?) id = (endpoint.Address, number, endpoint.Node);
                    if (!seen.TryGetValue(id, out int index))
                    {
                        seen[id] = found.Count;
                        found.Add(new EndpointAt(endpoint, number));
                    }
                    else if (Rank(endpoint) > Rank(found[index].Endpoint))
                    {
                        found[index] = new EndpointAt(endpoint, number);
                    }
                }
            }
        }

        return found;
    }

    private static int Rank(Endpoint e) => (e.IsTerminating ? 0 : 4) + (e.IsReady ? 2 : 0) + (e.IsServing ? 1 : 0);

    /// <summary>All or nothing: one endpoint without a hint, or no hint for us, and hints are not followed.</summary>
    private static List<EndpointAt> FollowHints(List<EndpointAt> ready, NodeName self, string? zone)
    {
        if (ready.TrueForAll(e => !e.Endpoint.NodeHints.IsEmpty) && ready.Exists(e => e.Endpoint.NodeHints.Contains(self)))
        {
            return ready.FindAll(e => e.Endpoint.NodeHints.Contains(self));
        }

        if (zone is not null && ready.TrueForAll(e => !e.Endpoint.ZoneHints.IsEmpty)
            && ready.Exists(e => e.Endpoint.ZoneHints.Contains(zone)))
        {
            return ready.FindAll(e => e.Endpoint.ZoneHints.Contains(zone));
        }

        return ready;
    }
}
