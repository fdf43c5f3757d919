using EdgeMesh.Server.Relay;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class OverloadTests
{
    private const double Megabyte = 1e6;

    private readonly Overload overload = new();

    [Fact]
    public void KnowsNoLimitWhileNothingPilesUp()
    {
        overload.Update(offered: 100 * Megabyte, carried: 100 * Megabyte, crowding: 0);
        Assert.Equal(double.PositiveInfinity, overload.Capacity);
    }

    [Fact]
    public void ABurstIsNoOverload()
    {
        overload.Update(100 * Megabyte, 100 * Megabyte, 0.2);
        Assert.Equal(double.PositiveInfinity, overload.Capacity);
    }

    [Fact]
    public void TheFirstPileTellsWhatCanBeCarried()
    {
        overload.Update(500 * Megabyte, 100 * Megabyte, 1);
        Assert.Equal(100 * Megabyte, overload.Capacity);
    }

    [Fact]
    public void StaysAtWhatCanBeCarried()
    {
        // A machine that carries 100 and on which datagrams pile up whenever it is asked for more.
        for (int i = 0; i < 300; i++)
        {
            double asked = Math.Min(200 * Megabyte, overload.Capacity);
            overload.Update(200 * Megabyte, Math.Min(100 * Megabyte, asked), asked > 100 * Megabyte ? 1 : 0);
            Assert.InRange(overload.Capacity, 80 * Megabyte, 120 * Megabyte);
        }
    }

    [Fact]
    public void IsForgottenWhenNobodyWantsThatMuch()
    {
        overload.Update(200 * Megabyte, 100 * Megabyte, 1);
        for (int i = 0; i < 30; i++)
        {
            overload.Update(20 * Megabyte, 20 * Megabyte, 0);
        }

        Assert.Equal(double.PositiveInfinity, overload.Capacity);
    }

    [Fact]
    public void AStallIsNeitherTakenForASlowMachineNorForTheEnd()
    {
        overload.Update(500 * Megabyte, 100 * Megabyte, 1);

        // Nothing is read, nothing is carried, and the first look finds a full buffer.
        overload.Update(0, 0, 1);
        Assert.InRange(overload.Capacity, 80 * Megabyte, 100 * Megabyte);
        for (int i = 0; i < 2; i++)
        {
            overload.Update(500 * Megabyte, overload.Capacity, 0);
        }

        Assert.InRange(overload.Capacity, 100 * Megabyte, 130 * Megabyte);
    }

    [Fact]
    public void IsNotForgottenWhileDatagramsPileUp()
    {
        overload.Update(200 * Megabyte, 190 * Megabyte, 1);
        for (int i = 0; i < 100; i++)
        {
            overload.Update(200 * Megabyte, 190 * Megabyte, 0.1);
        }

        Assert.InRange(overload.Capacity, 190 * Megabyte, 240 * Megabyte);
    }

    [Fact]
    public void AFloodThatIsNotRelayedTakesNotEverything()
    {
        for (int i = 0; i < 1000; i++)
        {
            overload.Update(100 * Megabyte, Math.Min(overload.Capacity, Megabyte), 1);
        }

        Assert.Equal(Overload.Least, overload.Capacity);
    }
}
