using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Rules;

/// <summary>From the plan of a Service to the elements it has in the table. Pure.</summary>
internal static class ServiceElements
{
    /// <param name="plan">What to write.</param>
    /// <param name="udpPort">Port of the agent's socket for a UDP Service port; 0 if there is none.</param>
    public static Element[] Of(ServicePlan plan, Func<PortKey, int> udpPort)
    {
        List<Element> found = [];
        foreach (IPAddress address in plan.Addresses)
        {
            found.Add(new Element(RuleSetName.ClusterIps, 0, 0, 0, address, null));
        }

        foreach (PortPlan port in plan.Ports)
        {
            (IPAddress address, TransportProtocol protocol, ushort number) = port.Key;
            (int verdict, int slotsEach) = Decide(port);
            found.Add(new Element(RuleSetName.Services, protocol, number, verdict, address, null));
            if (port.NeedsAgent && protocol == TransportProtocol.Udp && udpPort(port.Key) is > 0 and int socket)
            {
                found.Add(new Element(RuleSetName.UdpAgents, 0, number, socket, address, null));
            }

            if (port.Front == PortFront.LocalOnly && port.Action == PortAction.Serve)
            {
                found.Add(new Element(RuleSetName.Whole, protocol, number, 0, address, null));
            }

            foreach (IPNetwork source in port.Sources)
            {
                found.Add(new Element(RuleSetName.Allowed, protocol, number, 0, address, source));
            }

            if (!port.Sources.IsEmpty)
            {
                found.Add(new Element(RuleSetName.Fenced, protocol, number, 0, address, null));
            }

            if (slotsEach > 0)
            {
                AddKernelArms(found, port, slotsEach);
            }
        }

        return [.. found];
    }

    /// <summary>
    /// All endpoints weigh the same. Slots without an element fall through to the agent, so the agent's arm weighs what the
    /// kernel's endpoints leave. By client, each slot goes to the endpoint with the highest hash over both (rendezvous hashing), so
    /// that an endpoint that comes or goes moves its own clients and nobody else's.
    /// </summary>
    private static (int Verdict, int SlotsEach) Decide(PortPlan port)
    {
        if (port.RuleAction != PortAction.Serve)
        {
            return (port.RuleAction == PortAction.Drop ? Verdict.Drop : Verdict.Reject, 0);
        }

        int all = port.DrawnCount;
        int kernel = port.KernelCount;
        if (kernel == 0)
        {
            return (Verdict.Agent, 0);
        }

        // Only where clients keep their address does the kernel draw under affinity, and then by that address.
        if (port.Affinity is not null && all > 1)
        {
            return (Verdict.ByClient, 1);
        }

        if (all <= Verdict.MaxExact)
        {
            return (all, 1);
        }

        // Where the agent has no endpoint of its own, AddKernelArms fills all slots instead.
        int each = (int)Math.Round((double)Verdict.Coarse / all);
        return (Verdict.Coarse, Math.Max(1, Math.Min(each, Verdict.Coarse / kernel)));
    }

    private static void AddKernelArms(List<Element> found, PortPlan port, int slotsEach)
    {
        (IPAddress address, TransportProtocol protocol, ushort number) = port.Key;
        PlannedEndpoint[] kernel = [.. port.Arms.Take(Verdict.Coarse)];
        bool isByClient = port.Affinity is not null && kernel.Length > 1;
        bool isCoarse = isByClient || port.DrawnCount > Verdict.MaxExact;
        bool isAlone = kernel.Length == port.DrawnCount || kernel.Length == Verdict.Coarse;
        int slots = isCoarse && isAlone ? Verdict.Coarse : kernel.Length * slotsEach;
        int start = found.Count + slots;
        for (int slot = 0; slot < slots; slot++)
        {
            PlannedEndpoint endpoint = isByClient ? kernel.MaxBy(e => ClientHash.Of(slot, e))! : kernel[slot % kernel.Length];
            found.Add(new Element(RuleSetName.Endpoints, protocol, number, slot, address, endpoint.Address));
        }

        foreach (PlannedEndpoint endpoint in kernel)
        {
            if (endpoint.Placement == Placement.Local)
            {
                AddOnce(found, start, new Element(RuleSetName.Self, protocol, number, 0, address, endpoint.Address.Address));
            }
            else if (NeedsMasquerade(port, endpoint))
            {
                AddOnce(found, 0, new Element(RuleSetName.OffMesh, protocol, 0, 0, address, endpoint.Address));
            }

            if (MayRetry(port))
            {
                AddOnce(found, start, new Element(RuleSetName.Retry, protocol, 0, 0, address, endpoint.Address));
            }
        }
    }

    /// <summary>Several ports of an address may lead to one endpoint, and one endpoint may have several ports.</summary>
    private static void AddOnce(List<Element> found, int start, Element element)
    {
        if (found.IndexOf(element, start) < 0)
        {
            found.Add(element);
        }
    }

    /// <summary>A refusal is the client's answer if nobody else can give another one, or where the agent would hide the client's address.</summary>
    private static bool MayRetry(PortPlan port) =>
        port.Key.Protocol == TransportProtocol.Tcp && port.DrawnCount > 1 && port.Front != PortFront.LocalOnly;

    /// <summary>A reply to a client outside would leave another node by its own way, past this node's conntrack.</summary>
    private static bool NeedsMasquerade(PortPlan port, PlannedEndpoint endpoint) => endpoint.Placement == Placement.OffMesh
        || (endpoint.Placement == Placement.Routable && port.Front != PortFront.Cluster);
}
