using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>
/// Bytes in native chunks, first in, first out. The chunks never move: ngtcp2 keeps pointers to what it has sent until it is
/// acknowledged, so a ring that grows by copying would not do. Between the front (acknowledged up to here) and the end runs a
/// cursor (sent up to here).
/// </summary>
internal sealed unsafe class ByteQueue(ChunkPool pool)
{
    private Chunk? first;
    private Chunk? last;
    private Chunk? cursorChunk;
    private int cursorIndex;

    /// <summary>All bytes held.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes behind the cursor.</summary>
    public int Unsent { get; private set; }

    /// <summary>A contiguous free piece at the end; never empty.</summary>
    /// <param name="atLeastLarge">A new chunk should be a large one.</param>
    public Span<byte> FreeSpan(bool atLeastLarge)
    {
        if (last is null || last.End == last.Capacity)
        {
            Chunk chunk = pool.Rent(atLeastLarge || last is not null);
            if (last is null)
            {
                first = chunk;
            }
            else
            {
                last.Next = chunk;
            }

            last = chunk;
            if (cursorChunk is null)
            {
                cursorChunk = chunk;
                cursorIndex = 0;
            }
        }

        return new Span<byte>(last.Memory + last.End, last.Capacity - last.End);
    }

    public void Commit(int count)
    {
        if (last is not null)
        {
            last.End += count;
            Length += count;
            Unsent += count;
            if (Length == 0)
            {
                // Nothing came after all: an idle stream holds no memory.
                Clear();
            }
        }
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            Span<byte> free = FreeSpan(data.Length > ChunkPool.SmallSize);
            int count = Math.Min(free.Length, data.Length);
            data[..count].CopyTo(free);
            Commit(count);
            data = data[count..];
        }
    }

    /// <summary>Describes the bytes behind the cursor, up to <paramref name="limit"/>.</summary>
    /// <returns>How many vectors were filled; <paramref name="bytes"/> is what they cover.</returns>
    public int Gather(NgVec* vectors, int count, int limit, out int bytes)
    {
        bytes = 0;
        int used = 0;
        Chunk? chunk = cursorChunk;
        int index = cursorIndex;
        while (chunk is not null && used < count && bytes < limit)
        {
            int length = Math.Min(chunk.End - index, limit - bytes);
            if (length > 0)
            {
                vectors[used++] = new NgVec { Base = chunk.Memory + index, Length = (nuint)length };
                bytes += length;
            }

            chunk = chunk.Next;
            index = chunk?.Start ?? 0;
        }

        return used;
    }

    /// <summary>Moves the cursor over bytes that were sent.</summary>
    public void Advance(int count)
    {
        Unsent -= count;
        while (count > 0)
        {
            int step = Math.Min(count, cursorChunk!.End - cursorIndex);
            cursorIndex += step;
            count -= step;
            if (cursorIndex == cursorChunk.End && cursorChunk.Next is not null)
            {
                cursorChunk = cursorChunk.Next;
                cursorIndex = 0;
            }
            else if (step == 0)
            {
                break;
            }
        }
    }

    /// <summary>The bytes at the front, contiguous; empty if there are none.</summary>
    public ReadOnlySpan<byte> Front => first is null ? default : new ReadOnlySpan<byte>(first.Memory + first.Start, first.End - first.Start);

    /// <summary>Frees bytes at the front. With the last of them goes all memory.</summary>
    public void Release(int count)
    {
        Length -= count;
        Unsent = Math.Min(Unsent, Length);
        while (count > 0 && first is not null)
        {
            int step = Math.Min(count, first.End - first.Start);
            first.Start += step;
            count -= step;
            if (first.Start == first.End)
            {
                if (first.Next is null)
                {
                    break;
                }

                DropFirst();
            }
        }

        if (Length == 0)
        {
            Clear();
        }
    }

    public void Clear()
    {
        while (first is not null)
        {
            DropFirst();
        }

        Length = 0;
        Unsent = 0;
    }

    private void DropFirst()
    {
        Chunk chunk = first!;
        first = chunk.Next;
        if (ReferenceEquals(cursorChunk, chunk))
        {
            cursorChunk = first;
            cursorIndex = first?.Start ?? 0;
        }

        if (first is null)
        {
            last = null;
        }

        pool.Return(chunk);
    }
}
