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

        Balancing balancing = state.Rules is [var rule, ..] ? rule.Policy switch
        {
            BalancingPolicy.LeastLoaded => Balancing.LeastLoaded,
            BalancingPolicy.ClientHash => Balancing.ClientHash,
            _ => Balancing.Spread,
        } : here.Balancing;
        ImmutableArray<PortPlan>.Builder ports = ImmutableArray.CreateBuilder<PortPlan>();
        Placer placer = new(here);
        bool isLocal = service.ExternalTrafficPolicy == TrafficPolicy.Local;
        foreach (ServicePort port in service.Ports)
        {
            if (port.Protocol is not (TransportProtocol.Tcp or TransportProtocol.Udp))
            {
                continue;
            }

            ChosenArms Choose(TrafficPolicy policy) => placer.Place(
                EndpointChooser.Choose(service, port, state.Slices, family, here.Self, here.Zone, policy));

            ChosenArms inside = Choose(service.InternalTrafficPolicy);
            foreach (IPAddress address in addresses)
            {
                ports.Add(Of(address, port.Port, inside, PortFront.Cluster));
            }

            Front[] fronts = [.. Fronts(service, port, family, here)];
            if (fronts.Length == 0)
            {
                continue;
            }

            ChosenArms anywhere = Choose(TrafficPolicy.Cluster);
            ChosenArms outside = isLocal ? Choose(TrafficPolicy.Local) : ChosenArms.None;
            foreach (Front front in fronts)
            {
                ports.Add(Of(front.Address, front.Port, anywhere, isLocal ? PortFront.LocalOnly : PortFront.Anywhere) with
                {
                    Outside = outside,
                    Sources = front.Sources,
                });
            }

            PortPlan Of(IPAddress address, ushort number, ChosenArms chosen, PortFront front) => new(
                new PortKey(address, port.Protocol, number), service.Name, chosen.Action, chosen.Endpoints, service.ClientIPAffinity)
            {
                Front = front,
                Balancing = balancing,
            };
        }

        // Endpoints without nodeName that the kernel cannot route to (default/kubernetes on an edge node): another
        // component serves this Service here, or nobody does. Rejecting would break the former.
        return placer.AnyLeftOut && !placer.AnyPlaced ? null : new ServicePlan(service.Name, addresses, ports.ToImmutable())
        {
            HealthPort = isLocal && service.Type == ServiceType.LoadBalancer ? service.HealthCheckNodePort : (ushort)0,
            LocalEndpoints = CountReadyHere(state, family, here.Self),
        };
    }

    /// <summary>A load balancer is to send nothing more to a node whose pods are terminating, though these still serve.</summary>
    private static int CountReadyHere(ServiceState state, AddressFamily family, NodeName self) => state.Slices
        .Where(slice => slice.Family == family).SelectMany(slice => slice.Endpoints)
        .Where(endpoint => endpoint.IsReady && endpoint.Node == self)
        .Select(endpoint => endpoint.Address).Distinct().Count();

    private readonly record struct Front(IPAddress Address, ushort Port, ImmutableArray<IPNetwork> Sources);

    /// <summary>Where a Service port is served besides its clusterIPs, each place once.</summary>
    private static IEnumerable<Front> Fronts(Service service, ServicePort port, AddressFamily family, Surroundings here)
    {
        HashSet<(IPAddress, ushort)> seen = [];
        if (service.Type == ServiceType.LoadBalancer)
        {
            // First, so that an address that is also an externalIP is not open to those the ranges keep out.
            foreach (IPAddress address in service.LoadBalancerIngress)
            {
                if (address.AddressFamily == family && seen.Add((address, port.Port)))
                {
                    yield return new Front(address, port.Port, SourceRanges.Disjoint(service.LoadBalancerSourceRanges, family));
                }
            }
        }

        foreach (IPAddress address in service.ExternalIPs)
        {
            if (address.AddressFamily == family && seen.Add((address, port.Port)))
            {
                yield return new Front(address, port.Port, []);
            }
        }

        if (port.NodePort > 0 && service.Type is (ServiceType.NodePort or ServiceType.LoadBalancer))
        {
            foreach (IPAddress address in here.NodePortAddresses)
            {
                if (address.AddressFamily == family && seen.Add((address, port.NodePort)))
                {
                    yield return new Front(address, port.NodePort, []);
                }
            }
        }
    }
}
