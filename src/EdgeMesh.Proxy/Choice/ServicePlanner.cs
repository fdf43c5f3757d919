using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>From a Service and its slices to what this node does with each of its ports. Pure.</summary>
internal static class ServicePlanner
{
    /// <returns>Null: not ours, no rule and no route for it.</returns>
    public static ServicePlan? Plan(ServiceState state, AddressFamily family, Surroundings here)
    {
        if (state.Service is not Service service || !ServiceFilter.Serves(service, here.FilterMode))
        {
            return null;
        }

        ImmutableArray<IPAddress> addresses = [.. service.ClusterIPs.Where(a => a.AddressFamily == family)];
        if (addresses.IsEmpty)
        {
            return null;
        }

        ImmutableArray<PortPlan>.Builder ports = ImmutableArray.CreateBuilder<PortPlan>(service.Ports.Length * addresses.Length);
        bool anyUnreachable = false;
        bool anyPlaced = false;
        foreach (ServicePort port in service.Ports)
        {
            if (port.Protocol is not (TransportProtocol.Tcp or TransportProtocol.Udp))
            {
                continue;
            }

            ChosenEndpoints chosen = EndpointChooser.Choose(service, port, state.Slices, family, here.Self, here.Zone);
            ImmutableArray<PlannedEndpoint>.Builder placed = ImmutableArray.CreateBuilder<PlannedEndpoint>(chosen.Endpoints.Length);
            foreach (EndpointAt at in chosen.Endpoints)
            {
                if (here.Place(at.Endpoint) is Placement placement)
                {
                    placed.Add(new PlannedEndpoint(at.Address, at.Endpoint.Node, placement));
                    anyPlaced = true;
                }
                else
                {
                    anyUnreachable = true;
                }
            }

            // An order that does not depend on the order of slices keeps the written elements the same.
            placed.Sort(Compare);
            PortAction action = chosen.Action == PortAction.Serve && placed.Count == 0 ? PortAction.Reject : chosen.Action;
            foreach (IPAddress address in addresses)
            {
                ports.Add(new PortPlan(
                    new PortKey(address, port.Protocol, port.Port), service.Name, action, placed.ToImmutable(), service.ClientIPAffinity));
            }
        }

        // Endpoints without nodeName that the kernel cannot route to (default/kubernetes on an edge node): another
        // component serves this Service here, or nobody does. Rejecting would break the former.
        return anyUnreachable && !anyPlaced ? null : new ServicePlan(service.Name, addresses, ports.ToImmutable());
    }

    private static int Compare(PlannedEndpoint a, PlannedEndpoint b)
    {
        int byPlacement = a.Placement.CompareTo(b.Placement);
        if (byPlacement != 0)
        {
            return byPlacement;
        }

        int byNode = string.CompareOrdinal(a.Node?.Value, b.Node?.Value);
        if (byNode != 0)
        {
            return byNode;
        }

        Span<byte> left = stackalloc byte[16];
        Span<byte> right = stackalloc byte[16];
        a.Address.Address.TryWriteBytes(left, out int leftLength);
        b.Address.Address.TryWriteBytes(right, out int rightLength);
        int byAddress = left[..leftLength].SequenceCompareTo(right[..rightLength]);
        return byAddress != 0 ? byAddress : a.Address.Port.CompareTo(b.Address.Port);
    }
}
