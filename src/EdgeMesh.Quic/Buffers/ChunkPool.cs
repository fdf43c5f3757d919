using System.Runtime.InteropServices;

namespace EdgeMesh.Quic;

/// <summary>
/// Native memory in two sizes for bytes on their way: small for requests, large for bulk. Last in, first out, so that bulk
/// goes round in memory that is still in the cache. One pool per endpoint, in the loop only.
/// </summary>
internal sealed unsafe class ChunkPool : IDisposable
{
    public const int SmallSize = 4096;
    public const int LargeSize = 65_536;

    // What is kept when it is not needed: 256 kB and 1 MB.
    private const int SmallKept = 64;
    private const int LargeKept = 16;

    private readonly Stack<nint> small = new();
    private readonly Stack<nint> large = new();
    private readonly Stack<Chunk> objects = new();

    /// <summary>Bytes handed out.</summary>
    public long InUse { get; private set; }

    public Chunk Rent(bool isLarge)
    {
        Stack<nint> stack = isLarge ? large : small;
        int size = isLarge ? LargeSize : SmallSize;
        nint memory = stack.TryPop(out nint kept) ? kept : (nint)NativeMemory.Alloc((nuint)size);
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

        if (InUse == 0)
        {
            Trim();
        }
    }

    public void Dispose()
    {
        FreeDownTo(small, 0);
        FreeDownTo(large, 0);
    }

    private void Trim() => FreeDownTo(large, 4);

    private static void FreeDownTo(Stack<nint> stack, int count)
    {
        while (stack.Count > count)
        {
            NativeMemory.Free((void*)stack.Pop());
        }
    }
}
