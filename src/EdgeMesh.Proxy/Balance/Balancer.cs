using System.Collections.Concurrent;
using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Balance;

/// <summary>
/// The agent's arm: which endpoint gets a connection or flow that the kernel gave to the agent. Uniform over the endpoints
/// that the kernel does not draw itself; over all of them for a client that is itself an endpoint (its packets all come
/// here) and under affinity. Thread-safe if <paramref name="random"/> is.
/// </summary>
/// <param name="time">Steady time.</param>
/// <param name="random">Draws.</param>
/// <param name="distanceOf">How far the other nodes are.</param>
internal sealed class Balancer(TimeProvider time, Random random, PeerDistanceOf distanceOf)
{
    private readonly Random random = random;
    private readonly ConcurrentDictionary<PortKey, PortPlan> ports = new();
    private readonly Ejections ejections = new();
    private readonly AffinityTable affinity = new();
    private readonly LoadTable loads = new();

    public bool TryFind(PortKey key, out PortPlan plan) => ports.TryGetValue(key, out plan!);

    public void Set(PortPlan plan) => ports[plan.Key] = plan;

    public void Remove(PortKey key) => ports.TryRemove(key, out _);

    /// <param name="plan">The Service's port.</param>
    /// <param name="client">Who connects.</param>
    /// <param name="anyEndpoint">The kernel did not draw: all endpoints count, not only those it leaves to the agent.</param>
    public Attempts Begin(PortPlan plan, IPAddress client, bool anyEndpoint = false) => new(this, plan, client, anyEndpoint);

    public void Failed(PortPlan plan, PlannedEndpoint endpoint)
    {
        if (plan.Endpoints.Length > 1)
        {
            ejections.Failed(IdOf(plan, endpoint), Now);
        }
    }

    public void Succeeded(PortPlan plan, PlannedEndpoint endpoint) => ejections.Succeeded(IdOf(plan, endpoint));

    /// <summary>A connection or flow to that endpoint begins; dispose what this gives when it is over.</summary>
    /// <returns>Null where nobody asks for the load.</returns>
    public IDisposable? Carry(PortPlan plan, PlannedEndpoint endpoint) =>
        plan.Balancing == Balancing.LeastLoaded ? loads.Carry(IdOf(plan, endpoint)) : null;

    private long Now => time.GetTimestamp() / (time.TimestampFrequency / 1000);

    private static EndpointId IdOf(PortPlan plan, PlannedEndpoint endpoint) => new(endpoint.Node, plan.Key.Protocol, endpoint.Address);

    /// <summary>One connection's walk over the endpoints, each at most once.</summary>
    internal sealed class Attempts(Balancer owner, PortPlan plan, IPAddress client, bool anyEndpoint)
    {
        /// <summary>An endpoint that does not answer costs seconds: more than this many and the client has given up anyway.</summary>
        private const int Most = 5;

        private readonly bool takesAll = anyEndpoint || plan.AgentTakesAll || IsEndpoint(plan, client);

        private List<PlannedEndpoint>? tried;

        public bool TryNext(out PlannedEndpoint endpoint)
        {
            endpoint = null!;
            if (tried is { Count: >= Most })
            {
                return false;
            }

            long now = owner.Now;
            EndpointId? keeps = plan.Affinity is null ? null : owner.affinity.Find(plan.Key, client, now);
            PlannedEndpoint? found = Open(keeps) ?? Draw(takesAll, now) ?? Draw(all: true, now);
            if (found is null)
            {
                return false;
            }

            if (plan.Affinity is TimeSpan timeout)
            {
                // Another connection of this client may have drawn in the meantime: then its endpoint is the client's.
                EndpointId agreed = owner.affinity.Remember(plan.Key, client, keeps, IdOf(plan, found), timeout, now);
                found = Open(agreed) ?? found;
            }

            if (tried is not null)
            {
                ProxyMetrics.Retries.Add(1);
            }

            (tried ??= new(1)).Add(found);
            endpoint = found;
            return true;
        }

        private static bool IsEndpoint(PortPlan plan, IPAddress client)
        {
            foreach (PlannedEndpoint endpoint in plan.Endpoints)
            {
                if (endpoint.Placement == Placement.Local && endpoint.Address.Address.Equals(client))
                {
                    return true;
                }
            }

            return false;
        }

        private PlannedEndpoint? Open(EndpointId? id)
        {
            foreach (PlannedEndpoint endpoint in id is null ? [] : plan.Endpoints)
            {
                if (IdOf(plan, endpoint) == id && tried?.Contains(endpoint) != true)
                {
                    return endpoint;
                }
            }

            return null;
        }

        /// <summary>One of those that are not ejected; of the ejected ones where nothing else is left.</summary>
        private PlannedEndpoint? Draw(bool all, long now) =>
            DrawFrom(all, now, skipEjected: true) ?? DrawFrom(all, now, skipEjected: false);

        private PlannedEndpoint? DrawFrom(bool all, long now, bool skipEjected)
        {
            bool mind = skipEjected && !owner.ejections.IsEmpty;
            bool IsOpen(PlannedEndpoint endpoint) => (all || !endpoint.IsKernel) && tried?.Contains(endpoint) != true
                && !(mind && owner.ejections.IsOut(IdOf(plan, endpoint), now));
            return plan.Balancing switch
            {
                Balancing.Nearest => owner.DrawNearest(plan, IsOpen),
                Balancing.LeastLoaded => owner.DrawLeastLoaded(plan, IsOpen),
                Balancing.ClientHash => DrawByClient(IsOpen),
                _ => owner.DrawAny(plan, IsOpen),
            };
        }

        /// <summary>The highest of the hashes over client and endpoint (rendezvous hashing): one that goes moves only its own clients.</summary>
        private PlannedEndpoint? DrawByClient(Func<PlannedEndpoint, bool> isOpen)
        {
            PlannedEndpoint? found = null;
            ulong best = 0;
            foreach (PlannedEndpoint endpoint in plan.Endpoints)
            {
                if (isOpen(endpoint) && ClientHash.Of(client, endpoint) is ulong hash && (found is null || hash > best))
                {
                    (found, best) = (endpoint, hash);
                }
            }

            return found;
        }
    }

    private PlannedEndpoint? DrawAny(PortPlan plan, Func<PlannedEndpoint, bool> isOpen)
    {
        int count = 0;
        PlannedEndpoint? found = null;
        foreach (PlannedEndpoint endpoint in plan.Endpoints)
        {
            // Reservoir of one: uniform in one pass without a list.
            if (isOpen(endpoint) && random.Next(++count) == 0)
            {
                found = endpoint;
            }
        }

        return found;
    }

    private PlannedEndpoint? DrawLeastLoaded(PortPlan plan, Func<PlannedEndpoint, bool> isOpen)
    {
        PlannedEndpoint? first = DrawAny(plan, isOpen);
        PlannedEndpoint? second = DrawAny(plan, e => e != first && isOpen(e));
        return second is not null && loads.Of(IdOf(plan, second)) < loads.Of(IdOf(plan, first!)) ? second : first;
    }

    private PlannedEndpoint? DrawNearest(PortPlan plan, Func<PlannedEndpoint, bool> isOpen)
    {
        // A peer that is not connected counts as near: the first connection finds out.
        Nearness best = Nearness.Farthest;
        foreach (PlannedEndpoint endpoint in plan.Endpoints)
        {
            if (isOpen(endpoint))
            {
                best = Nearness.Min(best, NearnessOf(endpoint));
            }
        }

        return DrawAny(plan, e => isOpen(e) && NearnessOf(e).IsAbout(best));
    }

    private Nearness NearnessOf(PlannedEndpoint endpoint) => Nearness.Of(
        endpoint.Placement, endpoint is { Placement: Placement.Remote, Node: NodeName node } ? distanceOf(node) : default);
}
