using System.Net;
using DnsClient;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Verbs;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Explain;
using EdgeMesh.Tunnel;

namespace EdgeMesh.App.Agent;

/// <summary><c>explain</c>: what this agent knows of peers and DNS, for the proxy's explainer, which tries the rest.</summary>
internal static class AgentExplain
{
    /// <summary>So many nodes are asked; a Service on more is judged by these.</summary>
    private const int MostPeers = 16;

    public static async Task<ExplainReport> RunAsync(AgentState state, OperatorRequest request, CancellationToken stop)
    {
        ServiceName name = Parse(request.Subject);
        MeshSnapshot snapshot = state.Cell.Current;
        (string? file, IReadOnlyList<IPAddress> servers) = ClusterDnsSetting.Read();
        ExplainFacts facts = new()
        {
            Peers = await AskPeersAsync(state, snapshot, name, stop).ConfigureAwait(false),
            DnsAnswer = await AskDnsAsync(state, name, stop).ConfigureAwait(false),
            ClusterDns = servers,
            ClusterDnsFile = file,
            OurDns = [.. (state.Dns?.Listening ?? []).Select(e => e.Address)],
            From = request.From is string pod ? AddressOf(snapshot, state.Options.Node, pod) : null,
        };
        Explanation said = await ServiceTrial.RunAsync(snapshot, state.Options.ToProxy(), name, facts, stop).ConfigureAwait(false);
        return new ExplainReport(said.IsServed, said.Cause, said.Details);
    }

    /// <summary>Takes <c>name</c>, <c>namespace/name</c> and the start of a DNS name, <c>name.namespace</c>.</summary>
    internal static ServiceName Parse(string? text)
    {
        if (text is not null && !text.Contains('/', StringComparison.Ordinal) && text.Split('.') is [var first, var space, ..])
        {
            text = $"{space}/{first}";
        }

        return ServiceName.TryParse(text, out ServiceName name)
            ? name
            : throw new MeshException(MeshExit.Usage, $"'{text}' is not a Service: give NAME or NAMESPACE/NAME");
    }

    private static IPAddress AddressOf(MeshSnapshot snapshot, NodeName self, string pod)
    {
        if (IPAddress.TryParse(pod, out IPAddress? address))
        {
            return address;
        }

        return snapshot.Services.Values.SelectMany(s => s.Slices).SelectMany(s => s.Endpoints)
            .FirstOrDefault(e => e.PodName == pod && e.Node == self)?.Address
            ?? throw new MeshException(MeshExit.Usage, $"pod '{pod}' is no endpoint of this node, so its address is not known here: give --from the address");
    }

    /// <summary>Asks each node that has an endpoint: a peer that was never needed has no connection yet, and that is no fault.</summary>
    private static async Task<Dictionary<NodeName, PeerFact>> AskPeersAsync(AgentState state, MeshSnapshot snapshot, ServiceName name, CancellationToken stop)
    {
        if (state.Tunnel is not { } tunnel || !snapshot.Services.TryGetValue(name, out ServiceState? service))
        {
            return [];
        }

        NodeName[] nodes = [.. service.Slices.SelectMany(s => s.Endpoints).Select(e => e.Node).OfType<NodeName>()
            .Where(n => n != state.Options.Node && snapshot.Nodes.ContainsKey(n)).Distinct().Take(MostPeers)];
        PeerFact[] facts = await Task.WhenAll(nodes.Select(n => AskAsync(tunnel, n, stop))).ConfigureAwait(false);
        return nodes.Zip(facts).ToDictionary(p => p.First, p => p.Second);
    }

    private static async Task<PeerFact> AskAsync(TunnelService tunnel, NodeName node, CancellationToken stop)
    {
        PingReport answer = await AgentVerbs.PingOnceAsync(tunnel, node, 1, stop).ConfigureAwait(false);
        return new PeerFact(answer.Problem is null ? answer.Path : null, answer.Problem ?? "it answered");
    }

    private static async Task<string?> AskDnsAsync(AgentState state, ServiceName name, CancellationToken stop)
    {
        if (state.Dns?.Listening is not [var server, ..])
        {
            return null;
        }

        try
        {
            ResolveReport answer = await ResolveVerb.AskAsync(
                server, $"{name.Name}.{name.Namespace}.svc.{state.Options.DnsClusterDomains[0]}", QueryType.A, stop).ConfigureAwait(false);
            return answer.Answers.Count > 0 ? string.Join(", ", answer.Answers) : answer.Code;
        }
        catch (MeshException e)
        {
            return $"nothing ({e.Message})";
        }
    }
}
