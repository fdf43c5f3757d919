using System.Net;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Balance;

/// <summary>
/// <c>sessionAffinity: ClientIP</c>: client address and Service port → endpoint, refreshed on use. Bounded; beyond the bound
/// new clients are spread as without affinity. Time is milliseconds of any steady clock.
/// </summary>
internal sealed class AffinityTable
{
    private const int Most = 65_536;

    // Guards entries.
    private readonly Lock gate = new();
    private readonly Dictionary<(PortKey, IPAddress), (EndpointId Endpoint, long Until)> entries = [];

    private long nextSweep;

    public EndpointId? Find(PortKey port, IPAddress client, long now)
    {
        lock (gate)
        {
            return entries.TryGetValue((port, client), out (EndpointId Endpoint, long Until) entry) && now < entry.Until ? entry.Endpoint : null;
        }
    }

    /// <summary>Keeps <paramref name="endpoint"/> for the client.</summary>
    /// <param name="port">The Service's port.</param>
    /// <param name="client">Its client.</param>
    /// <param name="insteadOf">What <see cref="Find"/> gave.</param>
    /// <param name="endpoint">What was drawn.</param>
    /// <param name="timeout">Until when it is kept if it is not used.</param>
    /// <param name="now">The time.</param>
    /// <returns>What is kept: another endpoint if another connection of the client was quicker.</returns>
    public EndpointId Remember(PortKey port, IPAddress client, EndpointId? insteadOf, EndpointId endpoint, TimeSpan timeout, long now)
    {
        lock (gate)
        {
            bool isKnown = entries.TryGetValue((port, client), out (EndpointId Endpoint, long Until) entry);
            EndpointId kept = isKnown && now < entry.Until && entry.Endpoint != insteadOf ? entry.Endpoint : endpoint;
            if (isKnown || HasRoom(now))
            {
                entries[(port, client)] = (kept, now + (long)timeout.TotalMilliseconds);
            }

            return kept;
        }
    }

    private bool HasRoom(long now)
    {
        if (entries.Count >= Most && now >= nextSweep)
        {
            // A table full of living entries is walked once a second, not for each connection.
            nextSweep = now + 1000;
            foreach ((PortKey, IPAddress) key in entries.Where(e => e.Value.Until <= now).Select(e => e.Key).ToArray())
            {
                entries.Remove(key);
            }
        }

        return entries.Count < Most;
    }
}
