using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public class ReceiveWindowTests
{
    private const int Initial = 128 << 10;
    private const int Largest = 16 << 20;
    private const long RoundTrip = 10_000_000;
    private long now = 1_000_000_000;
    private ReceiveWindow window = new(Initial, Largest);

    [Fact]
    public void GrowsToTheLargestWhileItsReaderKeepsPace()
    {
        long credit = 0;
        for (int i = 0; i < 2000; i++)
        {
            credit += Read(64 << 10, RoundTrip / 100);
        }

        Assert.Equal(Largest - Initial, window.Growth);
        Assert.Equal((2000L * (64 << 10)) + window.Growth, credit);
    }

    [Fact]
    public void StaysSmallForASlowReader()
    {
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(4096, Read(4096, RoundTrip));
        }

        Assert.Equal(0, window.Growth);
    }

    [Fact]
    public void GrowsByNoMoreThanTheBudget()
    {
        Read(Initial, 0, budget: 1000);
        Read(Initial, 0, budget: 1000);
        Read(Initial * 2, 0, budget: 0);
        Assert.InRange(window.Growth, 1, 2000);
    }

    [Fact]
    public void GivesBackWhatASlowReaderDoesNotUseWhenItIsScarce()
    {
        for (int i = 0; i < 100; i++)
        {
            Read(64 << 10, 0);
        }

        int grown = window.Growth;
        Assert.True(grown > 1 << 20);
        long credit = 0;
        long read = 0;
        for (int i = 0; i < 20_000 && window.Growth > 0; i++)
        {
            credit += Read(64 << 10, 100 * RoundTrip, isScarce: true);
            read += 64 << 10;
        }

        Assert.Equal(0, window.Growth);
        Assert.Equal(read - grown, credit);
    }

    [Fact]
    public void KeepsItsSizeForASlowReaderWhileThereIsEnough()
    {
        for (int i = 0; i < 100; i++)
        {
            Read(64 << 10, 0);
        }

        int grown = window.Growth;
        Assert.Equal(1 << 20, Read(1 << 20, 100 * RoundTrip));
        Assert.Equal(grown, window.Growth);
    }

    private int Read(int bytes, long later, long budget = long.MaxValue, bool isScarce = false)
    {
        now += later;
        return window.Read(bytes, now, RoundTrip, budget, isScarce);
    }
}
