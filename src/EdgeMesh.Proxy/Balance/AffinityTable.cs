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

    public EndpointId? Find(PortKey port, IPAddress client, long now)
    {
        lock (gate)
        {
            return entries.TryGetValue((port, client), out (EndpointId Endpoint, long Until) entry) && now < entry.Until ? entry.Endpoint : null;
        }
    }

    public void Remember(PortKey port, IPAddress client, EndpointId endpoint, TimeSpan timeout, long now)
    {
        lock (gate)
        {
            if (entries.Count >= Most)
            {
                foreach ((PortKey, IPAddress) key in entries.Where(e => e.Value.Until <= now).Select(e => e.Key).ToArray())
                {
                    entries.Remove(key);
                }
            }

            if (entries.Count < Most || entries.ContainsKey((port, client)))
            {
                entries[(port, client)] = (endpoint, now + (long)timeout.TotalMilliseconds);
            }
        }
    }
}
