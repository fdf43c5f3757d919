namespace EdgeMesh.Lab;

/// <summary>What stands between a node and the internet.</summary>
public sealed record Site(string Name, NatKind? Inner, NatKind? Outer = null, bool MapsPorts = false)
{
    /// <summary>Inside address of a carrier's router that two sites share.</summary>
    public const string SharedGateway = "100.64.0.1";

    public static IReadOnlyList<Site> All { get; } =
    [
        new("public", null),
        new("full cone", NatKind.FullCone),
        new("address-restricted", NatKind.AddressRestricted),
        new("port-restricted, drops", NatKind.PortRestrictedDrop),
        new("port-restricted, rejects", NatKind.PortRestrictedReject),
        new("symmetric", NatKind.Symmetric),
        new("carrier-grade double NAT", NatKind.PortRestrictedDrop, NatKind.PortRestrictedDrop),
        new("UDP blocked", NatKind.UdpBlocked),
        new("only TCP 443", NatKind.Only443),
        new("symmetric with port mapping", NatKind.Symmetric, MapsPorts: true),
    ];

    public bool HasUdp => Inner is not (NatKind.UdpBlocked or NatKind.Only443);

    /// <summary>The mapping a peer must use is known before: it is told, or it is the same for all destinations.</summary>
    private bool IsPredictable => HasUdp && (Inner != NatKind.Symmetric || MapsPorts);

    /// <summary>Whether anybody is let in who was not spoken to from the same mapping.</summary>
    private bool IsOpen => Inner is null or NatKind.FullCone || MapsPorts;

    private bool LetsInByAddress => Inner == NatKind.AddressRestricted;

    /// <summary>What a pair can be: direct without luck, direct with some (ports are guessed), or relayed only.</summary>
    public static Expectation Of(Site a, Site b)
    {
        if (!a.HasUdp || !b.HasUdp)
        {
            return Expectation.Relayed;
        }

        if (a.IsPredictable && b.IsPredictable)
        {
            return Expectation.Direct;
        }

        if (!a.IsPredictable && !b.IsPredictable)
        {
            return Expectation.Relayed;
        }

        Site predictable = a.IsPredictable ? a : b;
        return predictable.IsOpen || predictable.LetsInByAddress ? Expectation.Direct : Expectation.Lucky;
    }

    /// <summary>Builds it: a node at the end, its routers in between.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="internet">45.45.45.0/24, or what lies behind the shared carrier.</param>
    /// <param name="number">1 or 2.</param>
    /// <param name="stop">Stops.</param>
    /// <param name="shared">A carrier's router in front of both sites.</param>
    public async Task<BuiltSite> BuildAsync(Lab lab, Switch internet, int number, CancellationToken stop, Router? shared = null)
    {
        string node = $"edge{number}";
        string wanAddress = shared is null ? $"45.45.45.{10 + number}/24" : $"100.64.0.{10 + number}/24";
        string? gateway = shared is null ? null : SharedGateway;
        if (Inner is not { } inner)
        {
            return new BuiltSite(await lab.AddNodeAsync(node, internet, wanAddress, gateway, stop), [], null);
        }

        List<Router> routers = [];
        Switch wan = internet;
        if (Outer is { } outer)
        {
            Router carrier = await lab.AddRouterAsync($"carrier{number}", wan, wanAddress, $"100.64.{number}.1/24", outer, stop);
            routers.Add(carrier);
            (wan, wanAddress, gateway) = (carrier.Lan, $"100.64.{number}.2/24", $"100.64.{number}.1");
        }

        Router home = await lab.AddRouterAsync($"home{number}", wan, wanAddress, $"10.0.{number}.1/24", inner, stop, gateway);
        routers.Add(home);
        LabProcess? mapper = MapsPorts ? await PortMapper.StartAsync(lab, home, $"10.0.{number}.0/24", stop) : null;
        return new BuiltSite(await lab.AddNodeAsync(node, home.Lan, $"10.0.{number}.10/24", $"10.0.{number}.1", stop), routers, mapper);
    }
}
