using System.Net;
using EdgeMesh.Lab;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Bench.Load;

/// <summary>
/// All simulated agents of a run. They come from loopback addresses of their own, 25 from each, as sites behind NATs would, so
/// that no bound of the server has to be loosened for them.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    private const int AddressesAtOnce = 4;

    /// <summary>A token lists the nodes that used it, and is written anew at each use.</summary>
    private const int SitesPerToken = 8;

    // Even agents on one loop, odd ones on the other: a pair's sender and receiver do not wait for each other.
    private readonly Reactor[] reactors;
    private readonly List<SimulatedAgent> agents = [];

    private Fleet(Reactor[] reactors) => this.reactors = reactors;

    public AttemptLog Attempts { get; } = new();

    public IReadOnlyList<SimulatedAgent> Agents => agents;

    public IReadOnlyList<Reactor> Reactors => reactors;

    public int Connected => agents.Count(agent => agent.IsConnected);

    public int Bound => agents.Count(agent => agent.Leg.IsBound);

    public static async Task<Fleet> EnrolAsync(LoadServer server, int count, CancellationToken stop)
    {
        Fleet fleet = new([new Reactor("load-even", NullLogger.Instance), new Reactor("load-odd", NullLogger.Instance)]);
        foreach (Reactor reactor in fleet.reactors)
        {
            reactor.Start();
        }

        NodeName[][] sites = [.. Enumerable.Range(0, count).Select(i => NodeName.Parse($"sim-{i}")).Chunk(SimulatedIdentity.PerAddress)];
        List<JoinToken> tokens = [];
        for (int site = 0; site < sites.Length; site += SitesPerToken)
        {
            tokens.Add(await server.TokenAsync(SitesPerToken * SimulatedIdentity.PerAddress, stop));
        }

        IReadOnlyList<SimulatedIdentity>[] enrolled = new IReadOnlyList<SimulatedIdentity>[sites.Length];
        await Parallel.ForAsync(0, sites.Length, new ParallelOptions { MaxDegreeOfParallelism = AddressesAtOnce, CancellationToken = stop }, async (site, cancel) =>
            enrolled[site] = await SimulatedIdentity.EnrolAsync(server.EndPoint, tokens[site / SitesPerToken], AddressOf(site), sites[site], cancel));
        foreach (SimulatedIdentity identity in enrolled.SelectMany(site => site))
        {
            fleet.agents.Add(new SimulatedAgent(identity, server.EndPoint, fleet.reactors[fleet.agents.Count % fleet.reactors.Length], fleet.Attempts));
        }

        return fleet;
    }

    public void Start() => agents.ForEach(agent => agent.Start());

    /// <summary>Until every agent is connected and every UDP leg that is wanted is bound.</summary>
    public async Task UntilAllInAsync(TimeSpan limit, CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(limit);
        while (agents.Any(agent => !agent.IsConnected || (agent.UsesUdp && !agent.Leg.IsBound)))
        {
            try
            {
                await Task.Delay(50, patience.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new LabException($"after {limit.TotalSeconds:F0} s {Connected} of {agents.Count} agents are connected and {Bound} have UDP");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(agents.Select(agent => agent.DisposeAsync().AsTask()));
        foreach (Reactor reactor in reactors)
        {
            await reactor.DisposeAsync();
        }
    }

    private static IPAddress AddressOf(int site) => new([127, 1, (byte)(site / 250), (byte)((site % 250) + 1)]);
}
