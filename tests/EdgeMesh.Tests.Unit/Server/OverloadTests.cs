using EdgeMesh.Server.Relay;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class OverloadTests
{
    private readonly Overload overload = new();

    [Fact]
    public void KnowsNoLimitWhileNothingIsLost()
    {
        overload.Update(offered: 1e9, carried: 1e9, lost: 0);
        Assert.Equal(double.PositiveInfinity, overload.Capacity);
    }

    [Fact]
    public void ComesToWhatCanBeCarried()
    {
        // A machine that carries 100 and loses datagrams whenever it is asked for more.
        for (int i = 0; i < 300; i++)
        {
            double carried = Math.Min(100, overload.Capacity);
            overload.Update(offered: 200, carried, lost: overload.Capacity > 100 ? 10 : 0);
        }

        Assert.InRange(overload.Capacity, 90, 105);
    }

    [Fact]
    public void IsForgottenWhenNobodyWantsThatMuch()
    {
        overload.Update(200, 100, 10);
        Assert.InRange(overload.Capacity, 90, 100);
        overload.Update(20, 20, 0);
        Assert.Equal(double.PositiveInfinity, overload.Capacity);
    }

    [Fact]
    public void AStallIsNotTakenForASlowMachine()
    {
        overload.Update(200, 100, 0);
        for (int i = 0; i < 3; i++)
        {
            overload.Update(200, 0, 10);
        }

        Assert.InRange(overload.Capacity, 40, 100);
    }
}
