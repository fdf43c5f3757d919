using EdgeMesh.App.Host;

namespace EdgeMesh.Tests.Unit.App;

public sealed class FootprintTests
{
    private const long Megabyte = 1 << 20;

    [Theory]
    [InlineData(0.005, true, 10, 10, true)]
    [InlineData(0.005, false, 300, 10, false)]
    [InlineData(0.05, true, 300, 150, true)]
    [InlineData(0.05, true, 160, 150, false)]
    [InlineData(0.05, true, 20, 10, false)]
    [InlineData(0.5, true, 300, 150, false)]
    public void ShrinksWhenIdleAfterWorkOrQuietWithALargeHeap(double share, bool worked, long committed, long alive, bool isWorthwhile) =>
        Assert.Equal(isWorthwhile, Footprint.IsWorthwhile(share, worked, committed * Megabyte, alive * Megabyte));
}
