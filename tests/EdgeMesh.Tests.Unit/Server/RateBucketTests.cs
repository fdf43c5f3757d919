using EdgeMesh.Server.Relay;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class RateBucketTests
{
    private const long Second = 1_000_000_000;
    private const double MegabyteASecond = 1000;
    private const long Burst = 100_000_000;

    [Fact]
    public void PassesARateAndABurst()
    {
        RateBucket bucket = default;
        long passed = 0;
        for (long now = Second; now < 11 * Second; now += 100_000)
        {
            passed += bucket.Take(1000, 1000, now, MegabyteASecond, Burst);
        }

        Assert.InRange(passed, 10_000_000, 10_000_000 + 100_000 + 1000);
    }

    [Fact]
    public void APauseFillsItOnlyOnce()
    {
        RateBucket bucket = default;
        long now = 3600 * Second;
        int passed = 0;
        for (int taken = -1; taken != 0; passed += taken)
        {
            taken = bucket.Take(1000, 1000, now, MegabyteASecond, Burst);
        }

        Assert.Equal(100_000, passed);
    }

    [Fact]
    public void TakesWholeFramesOfATrain()
    {
        RateBucket bucket = default;
        long now = Second;
        Assert.Equal(99_000, bucket.Take(99_000, 1218, now, MegabyteASecond, Burst));

        // 1,000 bytes are left: no frame of 1,218, but the last, shorter one of a train.
        Assert.Equal(0, bucket.Take(1218, 1218, now, MegabyteASecond, Burst));
        Assert.Equal(900, bucket.Take(900, 1218, now, MegabyteASecond, Burst));
        Assert.Equal(2436, bucket.Take(4872, 1218, now + 2_900_000, MegabyteASecond, Burst));
    }

    [Fact]
    public void LetsTheLargestFrameThroughAtTheLowestRate()
    {
        RateBucket bucket = default;
        double kilobyteASecond = 1_000_000;
        long now = Second;
        Assert.Equal(16_018, bucket.Take(16_018, 16_018, now, kilobyteASecond, Burst));
        Assert.Equal(16_018, bucket.Take(16_018, 16_018, now, kilobyteASecond, Burst));
        Assert.Equal(0, bucket.Take(16_018, 16_018, now + (10 * Second), kilobyteASecond, Burst));
        Assert.Equal(16_018, bucket.Take(16_018, 16_018, now + (17 * Second), kilobyteASecond, Burst));
    }

    [Fact]
    public void IsNoLimitWithoutARate()
    {
        RateBucket bucket = default;
        Assert.Equal(int.MaxValue, bucket.Take(int.MaxValue, 1, 1, 0, Burst));
    }
}
