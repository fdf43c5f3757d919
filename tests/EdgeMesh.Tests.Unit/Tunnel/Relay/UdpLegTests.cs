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
    public void UnderTrafficABlockedLegIsKnownWithinThreeSeconds()
    {
        UdpLeg leg = Leg();
        Run(leg, 20 * Second, answered: true);
        long cut = now;
        while (leg.IsBound && now < cut + (10 * Second))
        {
            leg.OnTraffic(now);
            Run(leg, 50 * Ms, answered: false);
        }

        Assert.InRange(now - cut, Second, 3 * Second);
    }

    [Fact]
    public void CheckedItIsKnownWithinOneAndAHalf()
    {
        UdpLeg leg = Leg();
        Run(leg, 20 * Second, answered: true);
        leg.Check(now);
        Run(leg, 1500 * Ms, answered: false);
        Assert.False(leg.IsBound);
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

    // Answers come after 10 ms. True if the leg became unbound on the way.
    private bool Run(UdpLeg leg, long time, bool answered)
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
                if (answered)
                {
                    now += 10 * Ms;
                    leg.OnAnswer(nonce, Observed, now);
                }
            }
        }

        now = Math.Max(now, end);
        return lost;
    }
}
