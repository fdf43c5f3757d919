using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Relay;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>What the servers say about a peer not being there. In the loop only.</summary>
internal sealed class PeerPresence(PeerContext context)
{
    /// <summary>A connected peer is given up for new streams when it was gone and silent this long: its server may be restarting.</summary>
    public const long LostAfter = 5 * PathTiming.Second;

    private const long MarkHolds = 3 * PathTiming.Second;
    private const long FreshMark = 1500 * PathTiming.Millisecond;

    private readonly Dictionary<int, long> goneAt = [];
    private long since = long.MaxValue;

    /// <returns>True if that is news.</returns>
    public bool Mark(int link, long now)
    {
        bool news = MayHave(link, now);
        goneAt[link] = now;
        since = Math.Min(since, now);
        return news;
    }

    public void Clear(int link)
    {
        if (goneAt.Count > 0 && goneAt.Remove(link))
        {
            since = long.MaxValue;
        }
    }

    public void Clear()
    {
        goneAt.Clear();
        since = long.MaxValue;
    }

    /// <summary>The server may have the peer: it has not said otherwise lately.</summary>
    public bool MayHave(int link, long now) => !goneAt.TryGetValue(link, out long at) || now - at > MarkHolds;

    /// <summary>Every server that we are connected to, and there is one, has just said that the peer is not there.</summary>
    public bool IsGoneEverywhere(long now)
    {
        bool any = false;
        foreach (RelayLink link in context.Links)
        {
            if (link.IsConnected)
            {
                any = true;
                if (!goneAt.TryGetValue(link.Id, out long at) || now - at > FreshMark)
                {
                    return false;
                }
            }
        }

        return any;
    }

    /// <summary>Gone from every server, silent, and not on a direct path, for a while.</summary>
    public bool IsLost(Peer peer, long now) =>
        IsLostFor(LostAfter, now)
        && !peer.Paths.Selected.IsDirect
        && peer.Connections.All(c => now - c.HeardAt > LostAfter);

    public bool IsLostFor(long time, long now) => since != long.MaxValue && now - since > time && context.Links.Any(l => l.IsConnected);
}
