using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Peers;

public sealed class PeerTableTests
{
    [Fact]
    public void StrangersTakeTurnsAndKeepTheirShard()
    {
        PeerTable table = new(3, (_, _) => throw new InvalidOperationException("nobody was to be made"));
        int[] first = [.. Enumerable.Range(0, 9).Select(i => table.ShardOf(new MeshAddress((ulong)i)))];
        Assert.Equal([0, 1, 2, 0, 1, 2, 0, 1, 2], first);
        Assert.Equal(first, Enumerable.Range(0, 9).Select(i => table.ShardOf(new MeshAddress((ulong)i))));
    }

    [Fact]
    public void MadeUpAddressesCostABoundedTable()
    {
        PeerTable table = new(2, (_, _) => throw new InvalidOperationException("nobody was to be made"));
        MeshAddress honest = new(ulong.MaxValue);
        Assert.Equal(0, table.ShardOf(honest));
        for (int i = 0; i < PeerTable.MaxStrangers - 1; i++)
        {
            table.ShardOf(new MeshAddress((ulong)i));
            Assert.Equal(0, table.ShardOf(honest));
        }

        // The next one takes the oldest one's place, which then is a new one whose turn it is.
        table.ShardOf(new MeshAddress(PeerTable.MaxStrangers));
        Assert.Equal(1, table.ShardOf(honest));
    }

    [Fact]
    public void OneThreadNeedsNoTable()
    {
        PeerTable table = new(1, (_, _) => throw new InvalidOperationException("nobody was to be made"));
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(0, table.ShardOf(new MeshAddress((ulong)i))));
    }
}
