using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Paths;

/// <summary>One end of a pair: its table, its address and its NAT. Sizes over <see cref="Mtu"/> vanish on the way out.</summary>
internal sealed class SimNode
{
    private readonly Dictionary<(WireAddress From, WireAddress To), ushort> mappings = [];
    private ulong transactions;
    private ushort nextPort = 30000;

    public SimNode(string privateAddress, string? publicAddress, NatKind nat)
    {
        Private = WireCaseAddress(privateAddress);
        Public = publicAddress is null ? Private : WireCaseAddress(publicAddress);
        Nat = nat;
        Table = new PathTable(() => new TransactionId(++transactions, (uint)privateAddress.GetHashCode(StringComparison.Ordinal)));
    }

    public PathTable Table { get; }

    public WireAddress Private { get; }

    public WireAddress Public { get; }

    public NatKind Nat { get; }

    public int Mtu { get; set; } = 1472;

    public int PingsSent { get; set; }

    public List<(long At, PathSelection Path, string Why)> History { get; } = [];

    public long PunchAt { get; set; } = long.MaxValue;

    public Candidate[] Candidates =>
        Nat == NatKind.None ? [new(CandidateKind.Interface, Private)] : [new(CandidateKind.Interface, Private), new(CandidateKind.ServerReflexive, Public)];

    /// <summary>Source address of a packet to <paramref name="to"/> after the NAT; the mapping is made or kept.</summary>
    public WireAddress Leave(WireAddress to)
    {
        if (Nat == NatKind.None)
        {
            return Private;
        }

        if (!mappings.TryGetValue((Private, to), out ushort port))
        {
            port = Nat == NatKind.Symmetric ? nextPort++ : Public.Port;
            mappings[(Private, to)] = port;
        }

        return Public.WithPort(port);
    }

    /// <summary>Whether a packet to the public side gets in.</summary>
    public bool Lets(WireAddress from, WireAddress to) => Nat == NatKind.None
        ? to == Private
        : mappings.TryGetValue((Private, from), out ushort port) && to == Public.WithPort(port);

    private static WireAddress WireCaseAddress(string text) => WireAddress.From(System.Net.IPEndPoint.Parse(text));
}
