using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Explain;

/// <summary>
/// Follows a Service from its name to its endpoints in the order in which a connection does, and tells the first thing that
/// is wrong. Pure; the caller has asked peers, DNS and kernel.
/// </summary>
internal sealed class ServiceExplainer(MeshSnapshot snapshot, Surroundings here, ExplainFacts facts)
{
    private readonly List<string> details = [];
    private string? cause;

    public Explanation Explain(ServiceName name)
    {
        Judge(name);
        return new Explanation(cause is null, cause ?? $"{name} is served on this node ({here.Self}); nothing is wrong that can be seen from here", details);
    }

    private void Judge(ServiceName name)
    {
        if (!snapshot.IsSynced)
        {
            Blame("no Services have been read yet: the agent has no list from its source ('edgemesh status' says what it waits for)");
            return;
        }

        if (!snapshot.Services.TryGetValue(name, out ServiceState? state) || state.Service is not Service service)
        {
            Blame(Missing(name, state));
            return;
        }

        details.Add($"name: {name}, {Kind(service)}, addresses {List(service.ClusterIPs)}{(facts.DnsAnswer is string dns ? $"; DNS answers {dns}" : "")}");
        if (!IsOurs(service) || !IsNodeKnown())
        {
            return;
        }

        foreach (ServicePort port in service.Ports)
        {
            JudgePort(state, service, port);
        }

        JudgeTrial(service);
    }

    private string Missing(ServiceName name, ServiceState? state)
    {
        if (state is not null)
        {
            return $"there are EndpointSlices for {name}, but no Service of that name: create the Service or correct the slices' label kubernetes.io/service-name";
        }

        ServiceName[] known = [.. snapshot.Services.Where(s => s.Value.Service is not null).Select(s => s.Key).Order()];
        ServiceName? elsewhere = known.Where(k => k.Name == name.Name).Select(k => (ServiceName?)k).FirstOrDefault();
        ServiceName? near = elsewhere ?? known.Select(k => (k, Distance: Spelling.Distance(name.ToString(), k.ToString())))
            .Where(k => k.Distance <= 3).OrderBy(k => k.Distance).Select(k => (ServiceName?)k.k).FirstOrDefault();
        return $"there is no Service {name}{(near is null ? "" : $"; did you mean {near}?")}";
    }

    private bool IsOurs(Service service)
    {
        string? reason = service switch
        {
            { Type: ServiceType.ExternalName } => $"is of type ExternalName: DNS answers with {service.ExternalName}, and no proxy has a part in it",
            { IsHeadless: true } => "is headless (clusterIP: None): DNS answers with its endpoints' addresses, which only their own node reaches; give it a clusterIP to have it carried between nodes",
            { ClusterIPs.IsEmpty: true } => "has no clusterIP yet: the API server has not given one",
            { ServiceProxyName: string proxy } => $"has the label service.kubernetes.io/service-proxy-name={proxy}: another proxy has to serve it",
            { HasHeadlessLabel: true } => "has the label service.kubernetes.io/headless: proxies leave it alone",
            _ => null,
        };
        if (reason is null && !ServiceFilter.Serves(service, here.FilterMode))
        {
            reason = service.HasEdgeMeshFilterLabel
                ? "has the label service.edgemesh.kubeedge.io/service-proxy-name, and proxy.filterMode leaves such Services alone"
                : "lacks the label service.edgemesh.kubeedge.io/service-proxy-name, and proxy.filterMode serves only Services with it";
        }

        if (reason is not null)
        {
            Blame($"{service.Name} {reason}");
        }

        return reason is null;
    }

    private bool IsNodeKnown()
    {
        if (!snapshot.Nodes.ContainsKey(here.Self))
        {
            Blame($"this node's name, {here.Self}, is no Node of the cluster ({List(snapshot.Nodes.Keys.Order().Take(5))}): --node-name has to be the name that 'kubectl get nodes' shows");
            return false;
        }

        return true;
    }

    private void JudgePort(ServiceState state, Service service, ServicePort port)
    {
        string label = string.Create(CultureInfo.InvariantCulture, $"{(port.Name.Length > 0 ? port.Name + " " : "")}{port.Port}/{port.Protocol.ToString().ToUpperInvariant()}");
        if (port.Protocol is not (TransportProtocol.Tcp or TransportProtocol.Udp))
        {
            Blame($"port {label} of {service.Name} is neither TCP nor UDP: the mesh carries these two");
            return;
        }

        Endpoint[] all = [.. state.Slices.SelectMany(s => s.Endpoints)];
        if (all.Length == 0)
        {
            Blame($"{service.Name} has no endpoints: no pod has its selector's labels, so connections are refused");
            return;
        }

        // Every endpoint of the port, whatever its condition, told by a chooser that excludes nothing.
        Endpoint[] ofPort = [.. state.Slices.Where(s => s.Ports.Any(p => p.Name == port.Name && p.Protocol == port.Protocol && p.Port is not null))
            .SelectMany(s => s.Endpoints)];
        if (ofPort.Length == 0)
        {
            string offered = List(state.Slices.SelectMany(s => s.Ports).Select(p => $"{p.Name} {p.Port}/{p.Protocol.ToString().ToUpperInvariant()}").Distinct());
            Blame($"port {label} of {service.Name} is offered by none of its endpoints, they offer {offered}: its targetPort names a port that the pods do not have");
            return;
        }

        ChosenEndpoints chosen = EndpointChooser.Choose(
            service, port, state.Slices, AddressFamily.InterNetwork, here.Self, here.Zone, service.InternalTrafficPolicy);
        details.Add($"port {label}: {Rule(chosen)}");
        TellEndpoints(ofPort, chosen);
        if (chosen.Action == PortAction.Drop)
        {
            Blame($"{service.Name} has internalTrafficPolicy: Local and no usable endpoint on this node ({here.Self}): connections are dropped; endpoints are on {List(ofPort.Select(Where).Distinct())}");
        }
        else if (chosen.Action == PortAction.Reject)
        {
            Blame($"no endpoint of {service.Name} is ready: {List(ofPort.Select(e => $"{e.PodName ?? e.Address.ToString()} ({Condition(e)})"))}; connections are refused");
        }
        else
        {
            JudgeReach(service, port, label, chosen);
        }
    }

    private void JudgeReach(Service service, ServicePort port, string label, ChosenEndpoints chosen)
    {
        bool anyWay = false;
        string? blocked = null;
        foreach (EndpointAt at in chosen.Endpoints)
        {
            string? problem = Problem(at, port);
            details.Add($"  {at.Address} on {Where(at.Endpoint)}: {problem ?? Way(at)}");
            anyWay |= problem is null;
            blocked ??= problem;
        }

        if (blocked is not null)
        {
            string share = anyWay ? $" (1 of {chosen.Endpoints.Length} endpoints of port {label}; others serve)" : "";
            Blame($"{service.Name}: {blocked}{share}");
        }
    }

    /// <returns>Null: nothing known against it.</returns>
    private string? Problem(EndpointAt at, ServicePort port)
    {
        Placement? placement = here.Place(at.Endpoint);
        if (placement is null)
        {
            return $"endpoint {at.Address} belongs to no node and this host has no route to it";
        }

        if (placement == Placement.Remote && at.Endpoint.Node is NodeName node)
        {
            return !snapshot.Nodes.ContainsKey(node) ? $"endpoint {at.Address} is on node {node}, which the cluster does not know"
                : facts.Peers.TryGetValue(node, out PeerFact? peer) && peer.Path is null
                    ? $"node {node}, which has endpoint {at.Address}, cannot be reached: {peer.Why}"
                    : null;
        }

        return facts.Dials.GetValueOrDefault(at.Address, DialFact.Connected) switch
        {
            DialFact.Refused => $"nothing listens at endpoint {at.Address}, though its host answers: wrong targetPort of port {port.Port}, or the program in {at.Endpoint.PodName ?? "the pod"} is not up",
            DialFact.Silent => $"endpoint {at.Address} does not answer: the backend is dead, or a network policy keeps this host out",
            _ => null,
        };
    }

    private void JudgeTrial(Service service)
    {
        if (facts.ServiceDial is DialFact trial)
        {
            details.Add($"trial from this host: {trial.ToString().ToLowerInvariant()}");
        }

        if (facts.ForeignRule is string rule)
        {
            details.Add($"foreign rule: {rule}");
            if (facts.ServiceDial is not DialFact.Connected)
            {
                Blame($"a rule that is not ours takes packets to {service.Name} first: {rule}");
            }
        }

        if (facts.ClusterDns.Count > 0 && facts.OurDns.Count > 0 && !facts.ClusterDns.Any(facts.OurDns.Contains))
        {
            Blame($"pods of this node ask another DNS server: {facts.ClusterDnsFile} has clusterDNS {List(facts.ClusterDns)}, the agent listens at {List(facts.OurDns)}");
        }

        if (facts.ServiceDial is DialFact.Refused or DialFact.Silent)
        {
            Blame($"{service.Name} is set up well as far as can be seen, but a connection from this host to it was {(facts.ServiceDial == DialFact.Refused ? "refused" : "not answered")}");
        }

        JudgeFirewalls(service);
    }

    /// <summary>
    /// Each table of the kernel decides for itself, so a drop in another one cannot be overruled from ours; and no trial from this
    /// host shows it, as it is about pods and clients outside.
    /// </summary>
    private void JudgeFirewalls(Service service)
    {
        if (facts.InputDrop is string input)
        {
            details.Add($"foreign input filter: {input}");
            Blame($"{service.Name} works from this host, but {input} keeps pods of this node or clients outside from the agent: accept translated connections there (nft: ct status dnat accept; for pods alone, with ufw: ufw allow in on BRIDGE)");
        }

        if (facts.ForwardDrop is string forward)
        {
            details.Add($"foreign forward filter: {forward}");
            Blame($"{service.Name} works from inside, but {forward} drops clients outside that come by a node port or external address to an endpoint of this node: accept translated connections there (docker: iptables -I DOCKER-USER -m conntrack --ctstate DNAT -j ACCEPT)");
        }
    }

    private void TellEndpoints(Endpoint[] all, ChosenEndpoints chosen)
    {
        foreach (Endpoint endpoint in all)
        {
            if (!chosen.Endpoints.Any(c => c.Endpoint.Address.Equals(endpoint.Address) && c.Endpoint.Node == endpoint.Node))
            {
                string why = Condition(endpoint) is "ready" ? "left out by traffic policy or topology hints" : Condition(endpoint);
                details.Add($"  {endpoint.Address} on {Where(endpoint)}: out, {why}");
            }
        }
    }

    private string Way(EndpointAt at) => here.Place(at.Endpoint) switch
    {
        Placement.Local => facts.From?.Equals(at.Endpoint.Address) == true ? "in, this pod itself, through the agent" : "in, by the kernel on this node",
        Placement.Routable => "in, by the kernel's own route",
        Placement.OffMesh => "in, by the kernel, outside the cluster's nodes",
        _ => at.Endpoint.Node is NodeName node && facts.Peers.TryGetValue(node, out PeerFact? peer)
            ? $"in, through the agent and the tunnel ({peer.Path})"
            : "in, through the agent and the tunnel (not connected yet, it is with the first connection)",
    };

    private static string Rule(ChosenEndpoints chosen) => chosen.Action switch
    {
        PortAction.Serve => $"spread over {chosen.Endpoints.Length} endpoints",
        PortAction.Drop => "dropped",
        _ => "refused",
    };

    private static string Condition(Endpoint e) =>
        e.IsTerminating ? e.IsServing ? "terminating" : "terminating, not serving" : e.IsReady ? "ready" : "not ready";

    private static string Where(Endpoint e) => e.Node?.Value ?? "no node";

    private static string Kind(Service s) => s.IsHeadless ? "headless" : s.Type.ToString();

    private static string List<T>(IEnumerable<T> items) => string.Join(", ", items) is { Length: > 0 } text ? text : "none";

    private void Blame(string sentence) => cause ??= sentence;
}
