using System.Net;
using EdgeMesh.Model;
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

            if (slotsEach > 0)
            {
                AddKernelArms(found, port, slotsEach);
            }
        }

        return [.. found];
    }

    /// <summary>
    /// All endpoints weigh the same. Slots without an element fall through to the agent, so the agent's arm weighs what the
    /// kernel's endpoints leave.
    /// </summary>
    private static (int Verdict, int SlotsEach) Decide(PortPlan port)
    {
        if (port.Action != PortAction.Serve)
        {
            return (port.Action == PortAction.Drop ? Verdict.Drop : Verdict.Reject, 0);
        }

        int all = port.Endpoints.Length;
        if (port.KernelCount == 0)
        {
            return (Verdict.Agent, 0);
        }

        if (all <= Verdict.MaxExact)
        {
            return (all, 1);
        }

        // Where the agent has no endpoint of its own, AddKernelArms fills all slots instead.
        int each = (int)Math.Round((double)Verdict.Coarse / all);
        return (Verdict.Coarse, Math.Max(1, Math.Min(each, Verdict.Coarse / port.KernelCount)));
    }

    private static void AddKernelArms(List<Element> found, PortPlan port, int slotsEach)
    {
        (IPAddress address, TransportProtocol protocol, ushort number) = port.Key;
        PlannedEndpoint[] kernel = [.. port.Endpoints.Where(e => e.IsKernel).Take(Verdict.Coarse)];
        bool isCoarse = port.Endpoints.Length > Verdict.MaxExact;
        bool isAlone = kernel.Length == port.Endpoints.Length || kernel.Length == Verdict.Coarse;
        int slots = isCoarse && isAlone ? Verdict.Coarse : kernel.Length * slotsEach;
        for (int slot = 0; slot < slots; slot++)
        {
            found.Add(new Element(RuleSetName.Endpoints, protocol, number, slot, address, kernel[slot % kernel.Length].Address));
        }

        HashSet<(RuleSetName, IPAddress, ushort)> seen = [];
        foreach (PlannedEndpoint endpoint in kernel)
        {
            ushort port2 = (ushort)endpoint.Address.Port;
            if (endpoint.Placement == Placement.Local && seen.Add((RuleSetName.Self, endpoint.Address.Address, 0)))
            {
                found.Add(new Element(RuleSetName.Self, protocol, number, 0, address, endpoint.Address.Address));
            }
            else if (endpoint.Placement == Placement.OffMesh && seen.Add((RuleSetName.OffMesh, endpoint.Address.Address, port2)))
            {
                found.Add(new Element(RuleSetName.OffMesh, protocol, port2, 0, address, endpoint.Address.Address));
            }
        }
    }
}
