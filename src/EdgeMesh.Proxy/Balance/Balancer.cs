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
internal sealed class Balancer(TimeProvider time, Random random)
{
    private readonly Random random = random;
    private readonly ConcurrentDictionary<PortKey, PortPlan> ports = new();
    private readonly Ejections ejections = new();
    private readonly AffinityTable affinity = new();

    public bool TryFind(PortKey key, out PortPlan plan) => ports.TryGetValue(key, out plan!);

    public void Set(PortPlan plan) => ports[plan.Key] = plan;

    public void Remove(PortKey key) => ports.TryRemove(key, out _);

    public Attempts Begin(PortPlan plan, IPAddress client) => new(this, plan, client);

    public void Failed(PortPlan plan, PlannedEndpoint endpoint)
    {
        if (plan.Endpoints.Length > 1)
        {
            ejections.Failed(IdOf(plan, endpoint), Now);
        }
    }

    public void Succeeded(PortPlan plan, PlannedEndpoint endpoint) => ejections.Succeeded(IdOf(plan, endpoint));

    private long Now => time.GetTimestamp() / (time.TimestampFrequency / 1000);

    private static EndpointId IdOf(PortPlan plan, PlannedEndpoint endpoint) => new(endpoint.Node, plan.Key.Protocol, endpoint.Address);

    /// <summary>One connection's walk over the endpoints, each at most once.</summary>
    internal sealed class Attempts(Balancer owner, PortPlan plan, IPAddress client)
    {
        /// <summary>An endpoint that does not answer costs seconds: more than this many and the client has given up anyway.</summary>
        private const int Most = 5;

        private readonly bool takesAll = plan.AgentTakesAll
            || plan.Endpoints.Any(e => e.Placement == Placement.Local && e.Address.Address.Equals(client));

        private List<PlannedEndpoint>? tried;

        public bool TryNext(out PlannedEndpoint endpoint)
        {
            endpoint = null!;
            if (tried is { Count: >= Most })
            {
                return false;
            }

            long now = owner.Now;
            PlannedEndpoint? found = Remembered(now) ?? Draw(takesAll, now) ?? Draw(all: true, now);
            if (found is null)
            {
                return false;
            }

            if (tried is not null)
            {
                ProxyMetrics.Retries.Add(1);
            }

            (tried ??= new(1)).Add(found);
            if (plan.Affinity is TimeSpan timeout)
            {
                owner.affinity.Remember(plan.Key, client, IdOf(plan, found), timeout, now);
            }

            endpoint = found;
            return true;
        }

        private PlannedEndpoint? Remembered(long now)
        {
            if (plan.Affinity is null || tried is not null || owner.affinity.Find(plan.Key, client, now) is not EndpointId id)
            {
                return null;
            }

            foreach (PlannedEndpoint endpoint in plan.Endpoints)
            {
                if (IdOf(plan, endpoint) == id)
                {
                    return endpoint;
                }
            }

            return null;
        }

        /// <summary>Uniform over those that are not ejected; over the ejected ones where nothing else is left.</summary>
        private PlannedEndpoint? Draw(bool all, long now) =>
            DrawFrom(all, now, skipEjected: true) ?? DrawFrom(all, now, skipEjected: false);

        private PlannedEndpoint? DrawFrom(bool all, long now, bool skipEjected)
        {
            bool mind = skipEjected && !owner.ejections.IsEmpty;
            int count = 0;
            PlannedEndpoint? found = null;
            foreach (PlannedEndpoint endpoint in plan.Endpoints)
            {
                if ((!all && endpoint.IsKernel) || tried?.Contains(endpoint) == true
                    || (mind && owner.ejections.IsOut(IdOf(plan, endpoint), now)))
                {
                    continue;
                }

                // Reservoir of one: uniform in one pass without a list.
                count++;
                if (owner.random.Next(count) == 0)
                {
                    found = endpoint;
                }
            }

            return found;
        }
    }
}
