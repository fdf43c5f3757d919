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
    private long losses;

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

    [Fact]
    public void LossesInTheKernelMakeSharesOfWhatIsCarried()
    {
        // Datagrams are lost whenever more than 2 MB/s is let through.
        FairShares shares = Shares(new RelayLimits());
        long[] passed = Run(shares, [8_000_000, 500_000, 500_000], seconds: 20, bearable: 2_000_000);
        Assert.NotNull(shares.Share);
        Assert.InRange(passed[1], 9_000_000, 10_100_000);
        Assert.InRange(passed[2], 9_000_000, 10_100_000);
        Assert.InRange(passed[0], 14_000_000, 32_000_000);
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

    private FairShares Shares(RelayLimits limits) => new(limits, () => sources, counters, () => losses);

    /// <summary>Every source offers frames at its rate, millisecond by millisecond.</summary>
    private long[] Run(FairShares shares, double[] rates, int seconds, double bearable = double.PositiveInfinity)
    {
        sources.AddRange(rates.Select(_ => new RelaySource()));
        double[] due = new double[rates.Length];
        long[] passed = new long[rates.Length];
        double[] recent = new double[100];
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
            recent[tick % recent.Length] = all;
            if (recent.Sum() * (1000 / recent.Length) > bearable)
            {
                losses++;
            }
        }

        return passed;
    }
}
