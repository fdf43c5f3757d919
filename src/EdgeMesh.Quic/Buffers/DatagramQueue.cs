using System.Buffers;
using System.Buffers.Binary;

namespace EdgeMesh.Quic;

/// <summary>Datagrams that wait for the congestion window: a ring of length-prefixed records, bounded, no memory while empty.</summary>
internal sealed class DatagramQueue
{
    public const int MaxBytes = 1 << 20;
    private const int FirstBytes = 16 << 10;
    private const int Prefix = 4;
    private const int Wrap = -1;

    private byte[]? ring;
    private int head;
    private int tail;
    private int used;

    public int Count { get; private set; }

    public bool TryEnqueue(ReadOnlySpan<byte> payload)
    {
        int need = Prefix + payload.Length;
        while (ring is null || !Fits(need))
        {
            if (!Grow(need))
            {
                return false;
            }
        }

        if (tail + need > ring.Length)
        {
            // The record would run over the end: it starts at the front, a mark says so.
            if (ring.Length - tail >= Prefix)
            {
                BinaryPrimitives.WriteInt32LittleEndian(ring.AsSpan(tail), Wrap);
            }

            used += ring.Length - tail;
            tail = 0;
        }

        BinaryPrimitives.WriteInt32LittleEndian(ring.AsSpan(tail), payload.Length);
        payload.CopyTo(ring.AsSpan(tail + Prefix));
        tail += need;
        used += need;
        Count++;
        return true;
    }

    /// <summary>The oldest datagram; only if <see cref="Count"/> is not 0.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        SkipWrap();
        int length = BinaryPrimitives.ReadInt32LittleEndian(ring.AsSpan(head));
        return ring.AsSpan(head + Prefix, length);
    }

    public void Dequeue()
    {
        SkipWrap();
        int need = Prefix + BinaryPrimitives.ReadInt32LittleEndian(ring.AsSpan(head));
        head += need;
        used -= need;
        if (--Count == 0)
        {
            Clear();
        }
    }

    public void Clear()
    {
        if (ring is not null)
        {
            ArrayPool<byte>.Shared.Return(ring);
            ring = null;
        }

        head = tail = used = Count = 0;
    }

    private bool Fits(int need)
    {
        int length = ring!.Length;
        if (used == 0)
        {
            head = tail = 0;
            return need <= length;
        }

        return tail > head || (tail == head && used == 0)
            ? length - tail >= need || head >= need
            : head - tail >= need && used < length;
    }

    private void SkipWrap()
    {
        if (ring!.Length - head < Prefix || BinaryPrimitives.ReadInt32LittleEndian(ring.AsSpan(head)) == Wrap)
        {
            used -= ring.Length - head;
            head = 0;
        }
    }

    private bool Grow(int need)
    {
        int size = ring is null ? FirstBytes : ring.Length * 2;
        while (size < need && size < MaxBytes)
        {
            size *= 2;
        }

        if (size > MaxBytes || size < need)
        {
            return false;
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(size);
        int written = 0;
        int count = Count;
        for (int i = 0; i < count; i++)
        {
            SkipWrap();
            int length = Prefix + BinaryPrimitives.ReadInt32LittleEndian(ring.AsSpan(head));
            ring.AsSpan(head, length).CopyTo(larger.AsSpan(written));
            written += length;
            head += length;
            used -= length;
        }

        if (ring is not null)
        {
            ArrayPool<byte>.Shared.Return(ring);
        }

        ring = larger;
        head = 0;
        tail = used = written;
        return true;
    }
}
