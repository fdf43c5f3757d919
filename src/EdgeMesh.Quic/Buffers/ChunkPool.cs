using System.Runtime.InteropServices;

namespace EdgeMesh.Quic;

/// <summary>
/// Native memory in two sizes for bytes on their way: small for requests, large for bulk. Last in, first out, so that bulk
/// goes round in memory that is still in the cache. What nobody took for a while goes back to the system: at once would mean a
/// page fault for every page of a bulk transfer. One pool per endpoint, in the loop only.
/// </summary>
/// <param name="onSpare">There is more than an idle node needs: call <see cref="Trim"/> after a while.</param>
internal sealed unsafe class ChunkPool(Action? onSpare = null) : IDisposable
{
    public const int SmallSize = 4096;
    public const int LargeSize = 65_536;

    // What is kept while there is traffic: 256 kB and 8 MB; of the large ones 256 kB at rest.
    private const int SmallKept = 64;
    private const int LargeKept = 128;
    private const int LargeAtRest = 4;

    private readonly Stack<nint> small = new();
    private readonly Stack<nint> large = new();
    private readonly Stack<Chunk> objects = new();

    // The fewest large chunks that lay here since the last trim: so many nobody needed.
    private int unused;

    /// <summary>Bytes handed out.</summary>
    public long InUse { get; private set; }

    /// <summary>Large chunks that wait for use.</summary>
    public int LargeSpare => large.Count;

    public Chunk Rent(bool isLarge)
    {
        Stack<nint> stack = isLarge ? large : small;
        int size = isLarge ? LargeSize : SmallSize;
        nint memory = stack.TryPop(out nint kept) ? kept : (nint)NativeMemory.Alloc((nuint)size);
        unused = Math.Min(unused, large.Count);
        Chunk chunk = objects.TryPop(out Chunk? former) ? former : new Chunk();
        chunk.Memory = (byte*)memory;
        chunk.Capacity = size;
        chunk.Start = 0;
        chunk.End = 0;
        chunk.Next = null;
        InUse += size;
        return chunk;
    }

    public void Return(Chunk chunk)
    {
        bool isLarge = chunk.Capacity == LargeSize;
        Stack<nint> stack = isLarge ? large : small;
        InUse -= chunk.Capacity;
        if (stack.Count < (isLarge ? LargeKept : SmallKept))
        {
            stack.Push((nint)chunk.Memory);
        }
        else
        {
            NativeMemory.Free(chunk.Memory);
        }

        chunk.Memory = null;
        chunk.Next = null;
        if (objects.Count < 256)
        {
            objects.Push(chunk);
        }

        if (isLarge && large.Count == LargeAtRest + 1)
        {
            onSpare?.Invoke();
        }
    }

    /// <summary>Frees the large chunks that were not needed since the last call.</summary>
    /// <returns>Whether there is still more than an idle node needs.</returns>
    public bool Trim()
    {
        FreeDownTo(large, Math.Max(LargeAtRest, large.Count - unused));
        unused = large.Count;
        return large.Count > LargeAtRest;
    }

    public void Dispose()
    {
        FreeDownTo(small, 0);
        FreeDownTo(large, 0);
    }

    private static void FreeDownTo(Stack<nint> stack, int count)
    {
        while (stack.Count > count)
        {
            NativeMemory.Free((void*)stack.Pop());
        }
    }
}
