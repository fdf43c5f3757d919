using System.Collections.Concurrent;

namespace EdgeMesh.Proxy.Balance;

/// <summary>
/// Endpoints that failed just now and are left out for a moment: 1 s, then twice as long each time, 10 s at most; the first
/// success forgets it. Time is milliseconds of any steady clock.
/// </summary>
internal sealed class Ejections
{
    private const long First = 1_000;
    private const long Longest = 10_000;
    private const int Most = 4_096;

    private readonly ConcurrentDictionary<EndpointId, (long Until, long Span)> ejected = new();

    public bool IsEmpty => ejected.IsEmpty;

    public bool IsOut(EndpointId endpoint, long now) => ejected.TryGetValue(endpoint, out (long Until, long) entry) && now < entry.Until;

    public void Failed(EndpointId endpoint, long now)
    {
        if (ejected.Count >= Most)
        {
            Forget(now);
        }

        if (ejected.Count < Most)
        {
            ejected.AddOrUpdate(endpoint, _ => (now + First, First), (_, old) => Again(old, now));
            ProxyMetrics.Ejections.Add(1);
        }
    }

    public void Succeeded(EndpointId endpoint)
    {
        if (!ejected.IsEmpty)
        {
            ejected.TryRemove(endpoint, out _);
        }
    }

    private static (long, long) Again((long Until, long Span) old, long now)
    {
        if (now < old.Until)
        {
            // Connections that began before the ejection fail too; they are no further evidence.
            return old;
        }

        long span = now > old.Until + (2 * Longest) ? First : Math.Min(old.Span * 2, Longest);
        return (now + span, span);
    }

    private void Forget(long now)
    {
        foreach (KeyValuePair<EndpointId, (long Until, long)> entry in ejected)
        {
            if (entry.Value.Until <= now)
            {
                ejected.TryRemove(entry);
            }
        }
    }
}
