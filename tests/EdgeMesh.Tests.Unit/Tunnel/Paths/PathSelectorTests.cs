using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Paths;

public sealed class PathSelectorTests
{
    private const long Ms = PathTiming.Millisecond;

    [Fact]
    public void PrefersUdpOverTlsAndTheNearerServer()
    {
        Assert.Equal(2, Choose(default, Relay(1, PathKind.RelayTls, 5), Relay(2, PathKind.RelayUdp, 50)).RelayId);
        Assert.Equal(3, Choose(default, Relay(1, PathKind.RelayUdp, 50), Relay(3, PathKind.RelayUdp, 20)).RelayId);
    }

    [Fact]
    public void AServerWithoutThePeerIsTheLastResort()
    {
        Assert.Equal(1, Choose(default, Relay(1, PathKind.RelayTls, 90), Relay(2, PathKind.RelayUdp, 5) with { HasPeer = false }).RelayId);
        Assert.Equal(2, Choose(default, Relay(2, PathKind.RelayUdp, 5) with { HasPeer = false }).RelayId);
    }

    [Fact]
    public void ABetterRoundTripMustBeClearlyBetter()
    {
        PathSelection current = new(PathKind.RelayUdp, default, 1);
        Assert.Equal(1, Choose(current, Relay(1, PathKind.RelayUdp, 20), Relay(2, PathKind.RelayUdp, 15)).RelayId);
        Assert.Equal(2, Choose(current, Relay(1, PathKind.RelayUdp, 20), Relay(2, PathKind.RelayUdp, 9)).RelayId);
    }

    [Fact]
    public void ADirectPathMustAnswerBeforeItIsTaken()
    {
        DirectPath silent = new(WireAddress.From(System.Net.IPEndPoint.Parse("192.0.2.1:5")), 0);
        Assert.Equal(PathKind.RelayUdp, PathSelector.Choose(default, [silent], [Relay(1, PathKind.RelayUdp, 20)], 9).Kind);
        List<ProbeOrder> orders = [];
        silent.Burst(0);
        silent.TakeDue(0, false, false, TransactionId.NewRandom, orders);
        silent.OnPong(orders[0].Transaction, 7 * Ms);
        PathSelection chosen = PathSelector.Choose(default, [silent], [Relay(1, PathKind.RelayUdp, 20)], 9 * Ms);
        Assert.Equal(new PathSelection(PathKind.Direct, silent.Address, -1), chosen);
    }

    private static RelayRoute Relay(int id, PathKind kind, int milliseconds) => new(id, kind, milliseconds * Ms, true);

    private static PathSelection Choose(PathSelection current, params RelayRoute[] relays) => PathSelector.Choose(current, [], relays, 0);
}
