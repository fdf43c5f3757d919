using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Explain;

/// <summary>Asks this host's kernel and tries connections, then lets <see cref="ServiceExplainer"/> judge. Changes nothing.</summary>
public static class ServiceTrial
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>So many endpoints of this node are dialled; the others are taken to be alike.</summary>
    private const int MostDials = 16;

    /// <param name="snapshot">What the agent knows.</param>
    /// <param name="options">The proxy's options.</param>
    /// <param name="name">The Service.</param>
    /// <param name="facts">What the caller knows of peers and DNS.</param>
    /// <param name="stop">Ends the trial.</param>
    public static async Task<Explanation> RunAsync(
        MeshSnapshot snapshot, ProxyOptions options, ServiceName name, ExplainFacts facts, CancellationToken stop)
    {
        HostFacts host = HostReader.Read(options.DeviceName);
        Surroundings here = new(options.Self, options.FilterMode, options.RoutableCidrs, snapshot.Nodes, host.Routes)
        {
            NodePortAddresses = host.NodePortAddresses(snapshot.Nodes.GetValueOrDefault(options.Self), options.DeviceName),
        };
        if (snapshot.Services.TryGetValue(name, out ServiceState? state)
            && ServicePlanner.Plan(state, AddressFamily.InterNetwork, here) is ServicePlan plan)
        {
            string ruleset = (await Command.RunAsync("nft", ["list", "ruleset"], null, stop).ConfigureAwait(false)).Output;
            ImmutableSortedSet<string> pods = host.PodBridges(snapshot.Nodes.GetValueOrDefault(options.Self), options.DeviceName);
            facts = facts with
            {
                Dials = await DialLocalAsync(plan, stop).ConfigureAwait(false),
                ServiceDial = await DialServiceAsync(plan, stop).ConfigureAwait(false),
                ForeignRule = plan.Addresses.Select(a => ForeignRules.Find(ruleset, a)).FirstOrDefault(r => r is not null),

                // Another node's endpoint is the agent's, whose connections are not forwarded.
                ForwardDrop = plan.Ports.Any(p => p.Front != PortFront.Cluster && p.Arms.Any(e => e.Placement == Placement.Local))
                    ? ForeignRules.FindForwardDrop(ruleset) : null,
                InputDrop = plan.Ports.Any(p => p.Front != PortFront.Cluster && p.NeedsAgent) ? ForeignRules.FindInputDrop(ruleset, [])
                    : pods.Count > 0 && plan.Ports.Any(p => p.NeedsAgent) ? ForeignRules.FindInputDrop(ruleset, pods)
                    : null,
            };
        }

        return new ServiceExplainer(snapshot, here, facts).Explain(name);
    }

    private static async Task<Dictionary<IPEndPoint, DialFact>> DialLocalAsync(ServicePlan plan, CancellationToken stop)
    {
        IPEndPoint[] local = [.. plan.Ports.Where(p => p.Key.Protocol == TransportProtocol.Tcp).SelectMany(p => p.Endpoints)
            .Where(e => e.Placement == Placement.Local).Select(e => e.Address).Distinct().Take(MostDials)];
        DialFact[] results = await Task.WhenAll(local.Select(e => DialAsync(e, isMarked: true, stop))).ConfigureAwait(false);
        return local.Zip(results).ToDictionary(p => p.First, p => p.Second);
    }

    private static async Task<DialFact?> DialServiceAsync(ServicePlan plan, CancellationToken stop) =>
        plan.Ports.FirstOrDefault(p => p is { Action: PortAction.Serve, Front: PortFront.Cluster, Key.Protocol: TransportProtocol.Tcp }) is PortPlan port
            ? await DialAsync(new IPEndPoint(port.Key.Address, port.Key.Port), isMarked: false, stop).ConfigureAwait(false)
            : null;

    private static async Task<DialFact> DialAsync(IPEndPoint to, bool isMarked, CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        using Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (isMarked)
            {
                SocketSetup.MarkAsAgent(socket);
            }

            await socket.ConnectAsync(to, patience.Token).ConfigureAwait(false);

            // The agent's arm accepts before it has an endpoint; a refusal follows at once as a reset.
            return !isMarked && await IsResetAsync(socket, patience.Token).ConfigureAwait(false) ? DialFact.Refused : DialFact.Connected;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return DialFact.Silent;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset ? DialFact.Refused : DialFact.Silent;
        }
    }

    private static async Task<bool> IsResetAsync(Socket socket, CancellationToken stop)
    {
        using CancellationTokenSource moment = CancellationTokenSource.CreateLinkedTokenSource(stop);
        moment.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, moment.Token).ConfigureAwait(false);
            return false;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // It waits for our bytes: served.
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
