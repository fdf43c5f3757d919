using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class ChunkPoolTests
{
    [Fact]
    public unsafe void BulkGoesRoundInTheSameMemory()
    {
        using ChunkPool pool = new();
        HashSet<nint> seen = [];
        for (int turn = 0; turn < 100; turn++)
        {
            Chunk[] taken = [.. Enumerable.Range(0, 16).Select(_ => pool.Rent(isLarge: true))];
            foreach (Chunk chunk in taken)
            {
                seen.Add((nint)chunk.Memory);
                pool.Return(chunk);
            }
        }

        Assert.Equal(16, seen.Count);
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public void WhatWasNotNeededForAWhileIsGivenBack()
    {
        int spare = 0;
        using ChunkPool pool = new(() => spare++);
        UseAtOnce(pool, 40);
        Assert.Equal(1, spare);
        Assert.True(pool.Trim());

        // In this while only ten of them are needed: the next trim leaves these, the one after it what a node keeps at rest.
        UseAtOnce(pool, 10);
        Assert.True(pool.Trim());
        Assert.Equal(10, pool.LargeSpare);
        Assert.False(pool.Trim());
        Assert.Equal(4, pool.LargeSpare);
    }

    private static void UseAtOnce(ChunkPool pool, int count)
    {
        Chunk[] taken = [.. Enumerable.Range(0, count).Select(_ => pool.Rent(isLarge: true))];
        foreach (Chunk chunk in taken)
        {
            pool.Return(chunk);
        }
    }
}
