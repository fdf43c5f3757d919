using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Paths;

/// <summary>
/// Choice of path as a pure function: LAN before direct before relay over UDP before relay over TLS. Up at once, down only when
/// the current one is gone; within one kind a better round trip must be better by a clear margin, and loss counts as delay. A direct path on probation
/// is better than a relay that owes an answer or does not have the peer. A server that drains is left where another one has the peer.
/// </summary>
internal static class PathSelector
{
    public static PathSelection Choose(
        PathSelection current, IReadOnlyList<DirectPath> directs, IReadOnlyList<RelayRoute> relays, long now)
    {
        DirectPath? best = null;
        foreach (DirectPath path in directs)
        {
            // One address silent is often all of them silent: another one that owes an answer is no refuge.
            bool isCandidate = path.IsUsable(now) && (path.Address == current.Remote || !path.IsLate(now));
            if (isCandidate && (best is null || IsBetter(path, best, current.IsDirect ? current.Remote : default)))
            {
                best = path;
            }
        }

        if (best is not null)
        {
            return new PathSelection(best.Kind, best.Address, -1);
        }

        RelayRoute? relay = null;
        foreach (RelayRoute route in relays)
        {
            if (relay is null || IsBetter(route, relay.Value, current.IsDirect ? -1 : current.RelayId))
            {
                relay = route;
            }
        }

        if (relay is not { HasPeer: true, IsSuspect: false })
        {
            foreach (DirectPath path in directs)
            {
                if (path.IsValid && !path.IsLate(now) && (best is null || IsBetter(path, best, current.IsDirect ? current.Remote : default)))
                {
                    best = path;
                }
            }

            if (best is not null)
            {
                return new PathSelection(best.Kind, best.Address, -1);
            }
        }

        return relay is { } chosen ? new PathSelection(chosen.Kind, default, chosen.Id) : default;
    }

    private static bool IsBetter(DirectPath path, DirectPath than, WireAddress current)
    {
        if (path.Kind != than.Kind)
        {
            return path.Kind > than.Kind;
        }

        return IsFaster(Cost(path), path.Address == current, Cost(than), than.Address == current);
    }

    private static bool IsBetter(RelayRoute route, RelayRoute than, int current)
    {
        if (route.HasPeer != than.HasPeer)
        {
            return route.HasPeer;
        }

        if (route.IsSuspect != than.IsSuspect)
        {
            return than.IsSuspect;
        }

        if (route.IsDraining != than.IsDraining)
        {
            return than.IsDraining;
        }

        return route.Kind != than.Kind
            ? route.Kind > than.Kind
            : IsFaster(route.RoundTrip, route.Id == current, than.RoundTrip, than.Id == current);
    }

    // A tenth lost costs about as much as 15 ms more; one ping that was lost costs nothing.
    private static long Cost(DirectPath path) =>
        path.RoundTrip + (long)(Math.Max(0, path.Loss - (1 / DirectPath.LossSamples)) * 400 * PathTiming.Millisecond);

    // The current one is taken for a quarter and 2 ms faster than it is.
    private static bool IsFaster(long roundTrip, bool isCurrent, long than, bool thanIsCurrent) =>
        Weigh(roundTrip, isCurrent) < Weigh(than, thanIsCurrent);

    private static long Weigh(long roundTrip, bool isCurrent) =>
        isCurrent ? (roundTrip * 3 / 4) - (2 * PathTiming.Millisecond) : roundTrip;
}
