using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Balance;

/// <summary>How near an endpoint is: first by the kind of way, then by round trip.</summary>
internal readonly record struct Nearness(int Tier, TimeSpan RoundTrip)
{
    public static readonly Nearness Farthest = new(int.MaxValue, TimeSpan.MaxValue);

    // Measurements differ from moment to moment; what differs less is equally near.
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(1);

    /// <summary>A peer that is not connected stands beside the direct ones, as if it were close: trying it is how one learns.</summary>
    public static Nearness Of(Placement placement, PeerDistance distance) => placement switch
    {
        Placement.Local => new Nearness(0, default),
        Placement.Routable or Placement.OffMesh => new Nearness(1, default),
        _ => distance.Tier switch
        {
            PeerTier.Lan => new Nearness(2, distance.RoundTrip),
            PeerTier.Relay => new Nearness(4, distance.RoundTrip),
            _ => new Nearness(3, distance.RoundTrip),
        },
    };

    public static Nearness Min(Nearness a, Nearness b) =>
        a.Tier < b.Tier || (a.Tier == b.Tier && a.RoundTrip < b.RoundTrip) ? a : b;

    /// <summary>The same kind of way, and a round trip at most a quarter and a millisecond longer.</summary>
    public bool IsAbout(Nearness best) => Tier == best.Tier && RoundTrip <= (best.RoundTrip * 1.25) + Margin;
}
