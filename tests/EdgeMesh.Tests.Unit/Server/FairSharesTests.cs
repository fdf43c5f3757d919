using EdgeMesh.Server;
using EdgeMesh.Server.Relay;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>The relay's limits on a virtual clock.</summary>
public sealed class FairSharesTests
{
    private const long Millisecond = 1_000_000;
    private const int Frame = 1000;

    private readonly RelayCounters counters = new();
    private readonly List<RelaySource> sources = [];

    [Fact]
    public void ThoseWhoWantTheSameGetTheSame()
    {
        FairShares shares = Shares(new RelayLimits { TotalRate = 10_000_000 });
        long[] passed = Run(shares, [.. Enumerable.Repeat(500_000.0, 50)], seconds: 5);
        Assert.InRange(passed.Sum(), 46_000_000, 53_000_000);
        Assert.True(passed.Max() < passed.Min() * 1.1, $"{passed.Min()} to {passed.Max()}");
        Assert.InRange(shares.Share!.Value, 180_000, 200_000);
        Assert.True(counters.Dropped(DropReason.FairShare) > 10 * counters.Dropped(DropReason.TotalRate), "shares, not chance, must be what limits");
    }

    [Fact]
    public void AFloodTakesNothingFromTheOthers()
    {
        FairShares shares = Shares(new RelayLimits { TotalRate = 1_000_000 });
        long[] passed = Run(shares, [20_000_000, 20_000_000, 100_000, 100_000, 50_000], seconds: 10);
        Assert.InRange(passed[2], 960_000, 1_010_000);
        Assert.InRange(passed[3], 960_000, 1_010_000);
        Assert.InRange(passed[4], 470_000, 510_000);
        Assert.InRange(passed[0], 3_200_000, 4_200_000);
        Assert.True(Math.Abs(passed[0] - passed[1]) < passed[0] / 20);
    }

    [Fact]
    public void OneAgentHasItsOwnLimit()
    {
        FairShares shares = Shares(new RelayLimits { AgentRate = 100_000 });
        long[] passed = Run(shares, [1_000_000, 50_000], seconds: 10);
        Assert.InRange(passed[0], 1_000_000, 1_050_000);
        Assert.InRange(passed[1], 490_000, 510_000);
        Assert.True(counters.Dropped(DropReason.AgentRate) > 0);
        Assert.Null(shares.Share);
    }

    [Fact]
    public void NothingIsLimitedWithoutLimitsAndLosses()
    {
        FairShares shares = Shares(new RelayLimits());
        Assert.Equal(50_000_000, Run(shares, [10_000_000], seconds: 5)[0], 100_000.0);
        Assert.Null(shares.Share);
    }

    /// <summary>500 agents want five times what the machine can do, and 50 of them a tenth of what the others get.</summary>
    [Fact]
    public void WhoIsModestLosesNothingWhenDatagramsPileUp()
    {
        FairShares shares = Shares(new RelayLimits());
        Machine machine = new(shares, counters, reads: 400, carries: 50, buffer: 8000);
        (long Sent, long Passed)[] outcome = machine.Run(sources, [.. Enumerable.Range(0, 500).Select(i => i % 10 == 5 ? 10_000.0 : 500_000)], seconds: 20);
        (long Sent, long Passed)[] modest = [.. outcome.Where((_, i) => i % 10 == 5)];
        long[] heavy = [.. outcome.Where((_, i) => i % 10 != 5).Select(agent => agent.Passed)];
        Assert.True(modest.Sum(agent => agent.Passed) > 0.98 * modest.Sum(agent => agent.Sent), $"{modest.Sum(agent => agent.Passed)} of {modest.Sum(agent => agent.Sent)}");
        Assert.InRange(heavy.Min(), heavy.Average() * 0.8, heavy.Average());
        Assert.InRange(heavy.Max(), heavy.Average(), heavy.Average() * 1.2);

        // What is left of the machine's time beside reading all of it is used.
        Assert.True(heavy.Sum() > 300_000_000, $"{heavy.Sum()}");
    }

    [Fact]
    public void SharesAreAQuarterWhileDatagramsPileUp()
    {
        FairShares shares = Shares(new RelayLimits { TotalRate = 1_000_000 });
        long before = Run(shares, [2_000_000, 2_000_000], seconds: 5).Sum();
        long now = 5000 * Millisecond;
        int passed = 0;
        for (long until = now + (1000 * Millisecond); now < until; now += Millisecond)
        {
            shares.Look(isPile: true);
            passed += sources.Sum(source => shares.Take(source, 2 * Frame, Frame, now, out _));
        }

        Assert.InRange(before, 4_500_000, 5_500_000);
        Assert.InRange(passed, 200_000, 300_000);
        shares.Look(isPile: false);
        Assert.True(sources.Sum(source => shares.Take(source, 2 * Frame, Frame, now + (200 * Millisecond), out _)) > 0);
    }

    /// <summary>While the sockets' thread gets no time nobody looks, and WebSockets must not take what it leaves.</summary>
    [Fact]
    public void APileCountsUntilSomebodyLooksAgain()
    {
        FairShares shares = Shares(new RelayLimits());
        shares.Look(isPile: true);
        long[] passed = Run(shares, [200_000_000, 200_000_000], seconds: 1);
        Assert.NotNull(shares.Share);
        Assert.True(shares.Share < 100_000_000 && passed.Sum() < 200_000_000, $"{shares.Share}, {passed.Sum()}");
    }

    [Fact]
    public void AStallChangesNoShare()
    {
        FairShares shares = Shares(new RelayLimits { TotalRate = 10_000_000 });
        Run(shares, [.. Enumerable.Repeat(500_000.0, 50)], seconds: 3);
        long before = shares.Share!.Value;
        long now = 3000 * Millisecond;
        shares.Take(sources[0], Frame, Frame, now + (500 * Millisecond), out _);
        Assert.InRange(shares.Share ?? 0, before * 0.8, before * 1.2);
        shares.Take(sources[0], Frame, Frame, now + (5000 * Millisecond), out _);
        Assert.Null(shares.Share);
    }

    [Fact]
    public void AWebSocketIsReadFasterThanItsAgentMaySend()
    {
        Assert.Equal(0, Shares(new RelayLimits()).PauseAfter(16_000));
        Assert.Equal(40 * Millisecond, Shares(new RelayLimits { AgentRate = 100_000 }).PauseAfter(16_000));
        Assert.Equal(100 * Millisecond, Shares(new RelayLimits { AgentRate = 1000 }).PauseAfter(16_000));
    }

    [Fact]
    public void AFrameAllocatesNothing()
    {
        FairShares shares = Shares(new RelayLimits { AgentRate = 1_000_000, TotalRate = 2_000_000 });
        RelaySource source = new();
        sources.Add(source);
        shares.Take(source, Frame, Frame, Millisecond, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            shares.Take(source, Frame, Frame, Millisecond + i, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private FairShares Shares(RelayLimits limits) => new(limits, () => sources, counters);

    /// <summary>Every source offers frames at its rate, millisecond by millisecond.</summary>
    private long[] Run(FairShares shares, double[] rates, int seconds)
    {
        sources.AddRange(rates.Select(_ => new RelaySource()));
        double[] due = new double[rates.Length];
        long[] passed = new long[rates.Length];
        for (int tick = 1; tick <= seconds * 1000; tick++)
        {
            int all = 0;
            for (int i = 0; i < rates.Length; i++)
            {
                for (due[i] += rates[i] / 1000; due[i] >= Frame; due[i] -= Frame)
                {
                    int taken = shares.Take(sources[i], Frame, Frame, tick * Millisecond, out DropReason limit);
                    passed[i] += taken;
                    all += taken;
                    if (taken == 0)
                    {
                        counters.Drop(limit);
                    }
                }
            }

            counters.SentByUdp(all / Frame, all);
        }

        return passed;
    }

    /// <summary>A machine with a buffer before the relay: each millisecond it has time to read so many frames, or to carry so many.</summary>
    private sealed class Machine(FairShares shares, RelayCounters counters, int reads, int carries, int buffer)
    {
        private readonly Queue<int> unread = new();
        private int emptyAt;

        public (long Sent, long Passed)[] Run(List<RelaySource> sources, double[] rates, int seconds)
        {
            sources.AddRange(rates.Select(_ => new RelaySource()));
            Random order = new(1);
            double[] due = [.. rates.Select(_ => order.NextDouble() * Frame)];
            (long Sent, long Passed)[] outcome = new (long, long)[rates.Length];
            double left = 0;
            for (int tick = 1; tick <= seconds * 1000; tick++)
            {
                int first = order.Next(rates.Length);
                for (int i = 0; i < rates.Length; i++)
                {
                    int sender = (first + i) % rates.Length;
                    for (due[sender] += rates[sender] / 1000; due[sender] >= Frame; due[sender] -= Frame)
                    {
                        outcome[sender].Sent += Frame;
                        if (unread.Count < buffer)
                        {
                            unread.Enqueue(sender);
                        }
                    }
                }

                shares.Look(tick - emptyAt > 10);
                for (left = Math.Min(left, 0) + 1; left > 0 && unread.TryDequeue(out int sender);)
                {
                    int taken = shares.Take(sources[sender], Frame, Frame, tick * Millisecond, out _);
                    outcome[sender].Passed += taken;
                    counters.SentByUdp(taken / Frame, taken);
                    left -= (1.0 / reads) + (taken > 0 ? 1.0 / carries : 0);
                }

                emptyAt = unread.Count == 0 ? tick : emptyAt;
            }

            return outcome;
        }
    }
}
