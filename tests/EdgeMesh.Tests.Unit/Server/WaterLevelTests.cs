using CsCheck;

using EdgeMesh.Server.Relay;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class WaterLevelTests
{
    [Fact]
    public void IsInfiniteWhileThereIsEnough() => Assert.Equal(double.PositiveInfinity, WaterLevel.Of([3, 2, 1], 6));

    [Fact]
    public void GivesTheSmallWhatTheyWantAndTheOthersTheSame() => Assert.Equal(4, WaterLevel.Of([100, 1, 5, 1], 10));

    [Fact]
    public void HandsOutTheWholeCapacityAndNoMore() => Gen.Select(Gen.Double[0, 1000].Array[1, 200], Gen.Double[1, 10_000]).Sample((demands, capacity) =>
    {
        double level = WaterLevel.Of(demands.ToArray(), capacity);
        double given = demands.Sum(wanted => Math.Min(wanted, level));
        return double.IsInfinity(level)
            ? demands.Sum() <= capacity * 1.000001
            : Math.Abs(given - capacity) <= capacity * 1e-6;
    });
}
