using EdgeMesh.Tunnel.Paths;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Relay;

public sealed class UdpLegTests
{
    private const long Ms = PathTiming.Millisecond;
    private const long Second = PathTiming.Second;

    private static readonly WireAddress Observed = WireAddress.From(System.Net.IPEndPoint.Parse("203.0.113.1:4000"));

    private ulong nonces;
    private long now = 1000 * Second;
    private int hellos;
    private long roundTrip = 10 * Ms;

    [Fact]
    public void AnAnswerBinds()
    {
        UdpLeg leg = Leg();
        Run(leg, 100 * Ms, answered: true);
        Assert.True(leg.IsBound);
        Assert.Equal(Observed, leg.Observed);
        Assert.Equal(10 * Ms, leg.RoundTrip);
    }

    [Fact]
    public void WithoutAnswersItStaysUnboundAndTriesAgainAndAgain()
    {
        UdpLeg leg = Leg();
        Run(leg, 60 * Second, answered: false);
        Assert.False(leg.IsBound);
        Assert.InRange(hellos, 30, 60);
        Run(leg, 5 * Second, answered: true);
        Assert.True(leg.IsBound);
    }

    [Fact]
    public void IdleItAsksEveryFifteenSeconds()
    {
        UdpLeg leg = Leg();
        Run(leg, 151 * Second, answered: true);
        Assert.InRange(hellos, 10, 12);
    }

    [Fact]
    public void AskedForAHelloItSaysItAtOnceAndOnlyOnce()
    {
        UdpLeg leg = Leg();
        Assert.False(leg.Renew(now));
        Run(leg, Second, answered: true);
        int before = hellos;
        Assert.True(leg.Renew(now));
        Assert.False(leg.Renew(now));
        Run(leg, 20 * Ms, answered: true);
        Assert.Equal(before + 1, hellos);
        Assert.True(leg.IsBound);
    }

    [Fact]
    public void UnderTrafficABlockedLegIsKnownWithinOneAndAHalf()
    {
        UdpLeg leg = Leg();
        Run(leg, 20 * Second, answered: true);
        long cut = now;
        while (leg.IsBound && now < cut + (10 * Second))
        {
            leg.OnTraffic(now);
            Run(leg, 50 * Ms, answered: false);
        }

        Assert.InRange(now - cut, 500 * Ms, 1500 * Ms);
    }

    [Fact]
    public void CheckedItIsKnownBeforeASilentDirectPathIsGivenUp()
    {
        UdpLeg leg = Leg();
        Run(leg, 20 * Second, answered: true);
        leg.Check(now);
        Run(leg, PathTiming.SilentAfter - (100 * Ms), answered: false);
        Assert.False(leg.IsBound);
    }

    /// <summary>A satellite: the answers of a whole series are still on their way when a near server's would be overdue.</summary>
    [Fact]
    public void AFarServersAnswersAreWaitedFor()
    {
        UdpLeg leg = Leg();
        roundTrip = 300 * Ms;
        Run(leg, 20 * Second, answered: true);
        leg.Check(now);
        Assert.False(Run(leg, 1150 * Ms, answered: false));
        Assert.True(Run(leg, 200 * Ms, answered: false));
    }

    [Fact]
    public void TwentyPercentLossSeldomUnbinds()
    {
        UdpLeg leg = Leg();
        Random random = new(11);
        Run(leg, Second, answered: true);
        int unbound = 0;
        for (int i = 0; i < 1200; i++)
        {
            leg.OnTraffic(now);
            unbound += Run(leg, 500 * Ms, isAnswered: () => random.Next(100) >= 36) ? 1 : 0;
        }

        // One series in sixty at a series each half second; each costs a few seconds over TLS.
        Assert.InRange(unbound, 1, 25);
    }

    [Fact]
    public void ARebindThatFailsUnbinds()
    {
        UdpLeg leg = Leg();
        Run(leg, Second, answered: true);
        leg.Rebind(now);
        Assert.True(leg.IsBound);
        Assert.True(Run(leg, 2 * Second, answered: false));
        Assert.False(leg.IsBound);
    }

    [Fact]
    public void OneLostHelloChangesNothing()
    {
        UdpLeg leg = Leg();
        Run(leg, Second, answered: true);
        leg.Check(now);
        Run(leg, 200 * Ms, answered: false);
        Run(leg, 2 * Second, answered: true);
        Assert.True(leg.IsBound);
    }

    [Fact]
    public void AnAnswerToNoQuestionIsIgnored()
    {
        UdpLeg leg = Leg();
        Assert.False(leg.OnAnswer(99, Observed, now));
        Assert.False(leg.IsBound);
    }

    private UdpLeg Leg()
    {
        UdpLeg leg = new(() => ++nonces);
        leg.Start(now);
        return leg;
    }

    private bool Run(UdpLeg leg, long time, bool answered) => Run(leg, time, () => answered);

    // True if the leg became unbound on the way.
    private bool Run(UdpLeg leg, long time, Func<bool> isAnswered)
    {
        long end = now + time;
        bool lost = false;
        while (leg.Deadline <= end)
        {
            now = Math.Max(now, leg.Deadline);
            lost |= leg.Advance(now, out ulong? hello);
            if (hello is { } nonce)
            {
                hellos++;
                if (isAnswered())
                {
                    now += roundTrip;
                    leg.OnAnswer(nonce, Observed, now);
                }
            }
        }

        now = Math.Max(now, end);
        return lost;
    }
}
