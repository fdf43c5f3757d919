using System.Net;
using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Paths;

public sealed class PathTableTests
{
    private const long Ms = PathTiming.Millisecond;
    private const long Second = PathTiming.Second;

    [Theory]
    [InlineData((int)NatKind.None, (int)NatKind.None, true)]
    [InlineData((int)NatKind.None, (int)NatKind.PortPreserving, true)]
    [InlineData((int)NatKind.None, (int)NatKind.Symmetric, true)]
    [InlineData((int)NatKind.PortPreserving, (int)NatKind.PortPreserving, true)]
    [InlineData((int)NatKind.PortPreserving, (int)NatKind.Symmetric, false)]
    [InlineData((int)NatKind.Symmetric, (int)NatKind.Symmetric, false)]
    public void GetsDirectWhereTheNatsAllowIt(int first, int second, bool direct)
    {
        SimPair pair = Pair((NatKind)first, (NatKind)second);
        pair.Connect();
        pair.Run(500 * Ms);
        PathKind expected = direct ? PathKind.Direct : PathKind.RelayUdp;
        Assert.Equal((expected, expected), (pair.A.Table.Selected.Kind, pair.B.Table.Selected.Kind));
    }

    [Fact]
    public void StartsOnTheRelayAndSaysWhyItMoves()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Connect();
        pair.Run(2 * Second);
        Assert.Equal([PathKind.RelayUdp, PathKind.Direct], pair.A.History.Select(h => h.Path.Kind));
        Assert.Equal("none of the peer's 2 addresses answers", pair.A.History[0].Why);
        Assert.Equal("203.0.113.2:20007 answers in 20.0 ms", pair.A.History[1].Why);
    }

    [Fact]
    public void TakesTheLanEvenWhenThePublicAddressAnswersToo()
    {
        SimPair pair = new(
            new SimNode("192.168.1.10:20007", "203.0.113.1:20007", NatKind.PortPreserving),
            new SimNode("192.168.1.11:20007", "203.0.113.1:20008", NatKind.PortPreserving),
            sameLan: true);
        pair.A.Table.SetLocalSubnets([IPNetwork.Parse("192.168.1.0/24")]);
        pair.B.Table.SetLocalSubnets([IPNetwork.Parse("192.168.1.0/24")]);
        pair.Connect();
        pair.Run(Second);
        Assert.Equal((PathKind.Lan, PathKind.Lan), (pair.A.Table.Selected.Kind, pair.B.Table.Selected.Kind));
        Assert.Equal("192.168.1.11:20007 is in a subnet of ours and answers in 20.0 ms", pair.A.Table.Why);
    }

    [Fact]
    public void LeavesAnIdlePathSoonAfterThePeerHasLeftIt()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Connect();
        pair.Run(30 * Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);

        // The path breaks while nothing flows; then the peer, which has noticed, sends through its relay.
        pair.Fault = (_, _, _) => true;
        pair.Run(Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);
        Assert.True(pair.A.Table.OnRelayed(pair.Now));
        Assert.False(pair.A.Table.OnRelayed(pair.Now));
        pair.Wake(pair.A);
        pair.Run(500 * Ms);
        Assert.Equal(PathKind.RelayUdp, pair.A.Table.Selected.Kind);
    }

    [Fact]
    public void KeepsAPathThatAnswersThoughThePeerUsedTheRelay()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Connect();
        pair.Run(30 * Second);
        pair.A.Table.OnRelayed(pair.Now);
        pair.Wake(pair.A);
        pair.Run(2 * Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);
        Assert.Equal(2, pair.A.History.Count);
    }

    [Fact]
    public void LeavesASilentPathWithinOneAndAHalfSecondsUnderTrafficAndComesBack()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(10 * Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);

        pair.Fault = (_, _, _) => true;
        long cut = pair.Now;
        pair.Run(3 * Second);
        foreach (SimNode node in (SimNode[])[pair.A, pair.B])
        {
            (long at, PathSelection path, string why) = node.History[^1];
            Assert.Equal(PathKind.RelayUdp, path.Kind);
            Assert.InRange(at - cut, 0, 1500 * Ms);
            Assert.Contains("was silent for", why, StringComparison.Ordinal);
        }

        pair.Run(7 * Second);
        pair.Fault = (_, _, _) => false;
        long healed = pair.Now;
        pair.Run(6 * Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);
        Assert.InRange(pair.A.History[^1].At - healed, 0, 5500 * Ms);
    }

    [Fact]
    public void DoesNotTryOneDeadAddressAfterTheOther()
    {
        SimPair pair = new(
            new SimNode("192.168.1.10:20007", "203.0.113.1:20007", NatKind.PortPreserving),
            new SimNode("192.168.1.11:20007", "203.0.113.1:20008", NatKind.PortPreserving),
            sameLan: true);
        pair.A.Table.SetLocalSubnets([IPNetwork.Parse("192.168.1.0/24")]);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(30 * Second);
        Assert.Equal(2, pair.A.Table.Directs.Count(p => p.IsValid));
        pair.Fault = (_, _, _) => true;
        pair.Run(2 * Second);
        Assert.Equal(PathKind.RelayUdp, pair.A.Table.Selected.Kind);
    }

    [Fact]
    public void TakesTheOtherAddressWhenOnlyOneDies()
    {
        SimPair pair = new(
            new SimNode("192.168.1.10:20007", "203.0.113.1:20007", NatKind.PortPreserving),
            new SimNode("192.168.1.11:20007", "203.0.113.1:20008", NatKind.PortPreserving),
            sameLan: true);
        pair.A.Table.SetLocalSubnets([IPNetwork.Parse("192.168.1.0/24")]);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(30 * Second);
        Assert.Equal(pair.B.Private, pair.A.Table.Selected.Remote);
        pair.Fault = (_, to, _) => to == pair.B.Private;
        pair.Run(2 * Second);
        Assert.Equal(pair.B.Public, pair.A.Table.Selected.Remote);
    }

    [Fact]
    public void OneDirectionCutIsSilenceForBoth()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.None);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(5 * Second);
        pair.Fault = (from, _, _) => from == pair.B;
        pair.Run(2 * Second);
        Assert.Equal((PathKind.RelayUdp, PathKind.RelayUdp), (pair.A.Table.Selected.Kind, pair.B.Table.Selected.Kind));
    }

    /// <summary>Each way: at 20 % every third ping stays without an answer.</summary>
    [Theory]
    [InlineData(15, 10)]
    [InlineData(20, 10)]
    [InlineData(20, 40)]
    public void HeavyLossIsNotSilence(int percent, int delay)
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Delay = delay * Ms;
        pair.Traffic = true;
        pair.Connect();
        pair.Run(2 * Second);
        Random random = new(7);
        pair.Fault = (_, _, _) => random.Next(100) < percent;
        pair.Run(300 * Second);
        Assert.Equal([PathKind.RelayUdp, PathKind.Direct], pair.A.History.Select(h => h.Path.Kind));
    }

    [Fact]
    public void AnIdlePathKeepsTheNatOpenAndCostsLittle()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Connect();
        pair.Run(10 * Second);
        int before = pair.A.PingsSent;
        pair.Run(600 * Second);
        Assert.InRange(pair.A.PingsSent - before, 600 / 15, 130);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);
    }

    [Fact]
    public void AnIdlePathThatDiesIsLeftBeforeItIsNeeded()
    {
        SimPair pair = Pair(NatKind.PortPreserving, NatKind.PortPreserving);
        pair.Connect();
        pair.Run(30 * Second);
        pair.Fault = (_, _, _) => true;
        pair.Run(16 * Second);
        Assert.Equal(PathKind.RelayUdp, pair.A.Table.Selected.Kind);
    }

    [Fact]
    public void WithoutAnyWayThereIsNone()
    {
        SimPair pair = Pair(NatKind.Symmetric, NatKind.Symmetric);
        pair.Connect(PathKind.None);
        pair.Run(2 * Second);
        Assert.Equal(PathKind.None, pair.A.Table.Selected.Kind);
    }

    [Fact]
    public void KnocksLessAndLessOftenWhileNothingOpens()
    {
        SimPair pair = Pair(NatKind.Symmetric, NatKind.Symmetric);
        pair.Connect();
        pair.Run(180 * Second);
        int before = pair.A.PingsSent;
        pair.Run(300 * Second);
        Assert.InRange(pair.A.PingsSent - before, 20, 250);
    }

    [Theory]
    [InlineData(1472, 1472)]
    [InlineData(1420, 1400)]
    [InlineData(1279, 1200)]
    public void FindsThePathMtu(int actual, int found)
    {
        SimPair pair = Pair(NatKind.None, NatKind.None);
        pair.A.Mtu = actual;
        pair.Connect();
        pair.Run(3 * Second);
        Assert.Equal(found, pair.A.Table.Mtu);
    }

    [Fact]
    public void NoticesAPathThatShrinks()
    {
        SimPair pair = Pair(NatKind.None, NatKind.None);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(3 * Second);
        Assert.Equal(1472, pair.A.Table.Mtu);
        pair.A.Mtu = 1390;
        pair.Run(2 * Second);
        Assert.InRange(pair.A.Table.Mtu, 1200, 1372);
        pair.Run(Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);
        Assert.Equal(1372, pair.A.Table.Mtu);
    }

    [Fact]
    public void HeavyLossSeldomShrinksAPath()
    {
        SimPair pair = Pair(NatKind.None, NatKind.None);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(3 * Second);
        Random random = new(5);
        pair.Fault = (_, _, _) => random.Next(100) < 20;
        int small = 0;
        for (int i = 0; i < 300; i++)
        {
            pair.Run(Second);
            small += pair.A.Table.Mtu < 1472 ? 1 : 0;
        }

        Assert.InRange(small, 0, 15);
    }

    [Theory]
    [InlineData(false, 7, 14)]
    [InlineData(true, 0, 6)]
    public void AFlappingPathHasToProveItselfUnlessTheRelayBringsNothing(bool isMute, int earliest, int latest)
    {
        SimPair pair = Pair(NatKind.None, NatKind.None);
        pair.Traffic = true;
        pair.RelayIsMute = isMute;
        pair.Connect();
        for (int i = 0; i < 5; i++)
        {
            pair.Run(8 * Second);
            pair.Fault = (_, _, _) => true;
            pair.Run(3 * Second);
            pair.Fault = (_, _, _) => false;
        }

        long healed = pair.Now;
        pair.Run(20 * Second);
        Assert.Equal(PathKind.Direct, pair.A.Table.Selected.Kind);
        Assert.InRange(pair.A.History[^1].At - healed, earliest * Second, latest * Second);
    }

    /// <summary>The first answer of a peer that slept is as old as its sleep; the next ones show what the path is like.</summary>
    [Fact]
    public void APeersSleepIsNoRoundTrip()
    {
        DirectPath path = new(WireAddress.From(System.Net.IPEndPoint.Parse("192.0.2.1:5")), 0);
        List<ProbeOrder> orders = [];
        path.Burst(0);
        long[] ages = [4000, 3700, 3400, 100, 2, 2, 2, 2, 2, 2];
        for (int i = 0; i < ages.Length; i++)
        {
            orders.Clear();
            long sent = (i + 1) * 5 * Second;
            path.PingAtOnce(sent);
            path.TakeDue(sent, true, true, TransactionId.NewRandom, orders);
            path.OnPong(orders.Last(o => o.Size == 0).Transaction, sent + (ages[i] * Ms));
        }

        Assert.InRange(path.RoundTrip, Ms, 100 * Ms);
    }

    [Fact]
    public void APauseOfTheProgramIsNoSilence()
    {
        SimPair pair = Pair(NatKind.None, NatKind.None);
        pair.Traffic = true;
        pair.Connect();
        pair.Run(3 * Second);
        List<ProbeOrder> orders = [];
        long now = pair.Now;
        PathTable table = pair.A.Table;
        for (int i = 0; i < 3; i++)
        {
            now += 200 * Ms;
            table.OnSent(1000, now);
            table.Advance(now, orders, out _);
        }

        now += 5 * Second;
        table.Advance(now, orders, out _);
        Assert.Equal(PathKind.Direct, table.Selected.Kind);
    }

    [Fact]
    public void AnUnreachableAddressIsLeftAtOnce()
    {
        SimPair pair = Pair(NatKind.None, NatKind.None);
        pair.Connect();
        pair.Run(3 * Second);
        pair.A.Table.OnUnreachable(pair.B.Private, pair.Now);
        Assert.Equal(PathKind.RelayUdp, pair.A.Table.Selected.Kind);
        Assert.StartsWith("198.51.100.2:20007 has become unreachable", pair.A.Table.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void AFloodOfAddressesIsBounded()
    {
        PathTable table = new(TransactionId.NewRandom);
        table.EnableProbes(0);
        for (int i = 1; i < 1000; i++)
        {
            table.OnPing(WireAddress.From(IPAddress.Parse("198.51.100.7"), (ushort)i), i);
        }

        Assert.Equal(PathTiming.MaxPaths, table.Directs.Count);
    }

    private static SimPair Pair(NatKind first, NatKind second) => new(Node(1, first), Node(2, second));

    private static SimNode Node(int number, NatKind nat) => nat == NatKind.None
        ? new SimNode($"198.51.100.{number}:20007", null, nat)
        : new SimNode($"10.{number}.0.5:20007", $"203.0.113.{number}:20007", nat);
}
