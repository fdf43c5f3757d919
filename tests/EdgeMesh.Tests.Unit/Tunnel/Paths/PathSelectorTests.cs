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
    public void AServerThatDrainsIsLeftWhereAnotherHasThePeer()
    {
        PathSelection current = new(PathKind.RelayUdp, default, 1);
        RelayRoute draining = Relay(1, PathKind.RelayUdp, 5) with { IsDraining = true };
        Assert.Equal(2, Choose(current, draining, Relay(2, PathKind.RelayTls, 90)).RelayId);
        Assert.Equal(1, Choose(current, draining, Relay(2, PathKind.RelayUdp, 5) with { HasPeer = false }).RelayId);
        Assert.Equal(1, Choose(current, draining, Relay(2, PathKind.RelayUdp, 5) with { IsSuspect = true }).RelayId);
        Assert.Equal(1, Choose(current, draining).RelayId);
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

    [Theory]
    [InlineData(0, 1, true)]
    [InlineData(50, 1, true)]
    [InlineData(3, 3, false)]
    public void APathThatLosesIsLeftForOneThatDoesNot(int every, int slower, bool stays)
    {
        DirectPath lossy = Path("192.0.2.1:5", 20, every);
        DirectPath sound = Path("192.0.2.2:5", 20 + slower, 0);

        PathSelection chosen = PathSelector.Choose(new PathSelection(PathKind.Direct, lossy.Address, -1), [lossy, sound], [], 100 * PathTiming.Second);

        Assert.Equal(stays ? lossy.Address : sound.Address, chosen.Remote);
        Assert.Equal(0, sound.Loss);
        Assert.InRange(lossy.Loss, every == 0 ? 0 : 0.01, every == 3 ? 0.45 : 0.08);
    }

    /// <summary>A path after 60 pings, each n-th of which was lost.</summary>
    private static DirectPath Path(string address, int roundTrip, int every)
    {
        DirectPath path = new(WireAddress.From(System.Net.IPEndPoint.Parse(address)), 0);
        List<ProbeOrder> orders = [];
        path.Burst(0);
        for (int i = 1; i <= 60; i++)
        {
            long now = i * PathTiming.Second;
            orders.Clear();
            path.PingAtOnce(now);
            path.TakeDue(now, selected: true, active: false, TransactionId.NewRandom, orders);
            if (every == 0 || i % every != 0 || i == 60)
            {
                path.OnPong(orders.First(o => o.Size == 0).Transaction, now + (roundTrip * Ms));
            }
        }

        return path;
    }

    private static RelayRoute Relay(int id, PathKind kind, int milliseconds) => new(id, kind, milliseconds * Ms, true);

    private static PathSelection Choose(PathSelection current, params RelayRoute[] relays) => PathSelector.Choose(current, [], relays, 0);
}
