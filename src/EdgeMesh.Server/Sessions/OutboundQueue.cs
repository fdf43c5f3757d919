using System.Buffers;
using System.Buffers.Binary;

using EdgeMesh.Server.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Sessions;

/// <summary>
/// What waits for one WebSocket: relay frames as records (<c>length (2) frame</c>) in a ring of bounded size that drops its
/// oldest when it is full, and a few control messages, which go first and are never dropped for frames. Writers on any
/// thread never wait; one reader. The ring is rented only while something is in it.
/// </summary>
internal sealed class OutboundQueue(int capacity, QueueBudget budget, RelayCounters counters) : IDisposable
{
    private const int SmallestRing = 8 * 1024;

    /// <summary>A session that does not take its control messages is dead.</summary>
    private const int MaxControls = 64;

    // Guards everything below. Held for one copy of a frame at most.
    private readonly Lock gate = new();
    private readonly Queue<byte[]> controls = new();
    private readonly AsyncSignal signal = new();
    private byte[]? ring;
    private int size;
    private int head;
    private int length;
    private bool isClosed;

    public int Bytes
    {
        get
        {
            lock (gate)
            {
                return length;
            }
        }
    }

    /// <summary>Copies a frame in. False when the queue is closed.</summary>
    public bool Enqueue(ReadOnlySpan<byte> frame)
    {
        lock (gate)
        {
            if (isClosed)
            {
                return false;
            }

            int need = RelayRecords.Overhead + frame.Length;
            int limit = budget.LimitOf(capacity);
            while (length > 0 && length + need > limit)
            {
                DropOldest();
            }

            if (need > Math.Min(budget.Free, capacity))
            {
                // All of the server's queues together are full; this one holds nothing.
                counters.Drop(DropReason.QueueFull);
                ReturnRing();
                return true;
            }

            Grow(length + need);
            Span<byte> header = stackalloc byte[RelayRecords.Overhead];
            BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)frame.Length);
            Append(header);
            Append(frame);
        }

        signal.Set();
        return true;
    }

    /// <summary>False when the queue is closed or the session does not take what it is sent.</summary>
    public bool EnqueueControl(byte[] message)
    {
        lock (gate)
        {
            if (isClosed || controls.Count >= MaxControls)
            {
                return false;
            }

            controls.Enqueue(message);
        }

        signal.Set();
        return true;
    }

    /// <summary>Ends <see cref="WaitAsync"/> for good; nothing is taken in any more.</summary>
    public void Close()
    {
        lock (gate)
        {
            isClosed = true;
        }

        signal.Set();
    }

    public bool IsClosed
    {
        get
        {
            lock (gate)
            {
                return isClosed;
            }
        }
    }

    /// <summary>Completes when there may be something to take. For the one reader.</summary>
    public ValueTask WaitAsync() => signal.WaitAsync();

    public bool TryTakeControl(out byte[] message)
    {
        lock (gate)
        {
            return controls.TryDequeue(out message!);
        }
    }

    /// <summary>Moves as many whole records as fit; 0 when there are none. The buffer must hold the largest record.</summary>
    public int Take(Span<byte> buffer)
    {
        lock (gate)
        {
            int taken = 0;
            while (length > 0)
            {
                int record = RelayRecords.Overhead + FirstFrameLength();
                if (taken + record > buffer.Length)
                {
                    break;
                }

                CopyOut(buffer.Slice(taken, record));
                taken += record;
                Advance(record);
            }

            if (length == 0)
            {
                ReturnRing();
            }

            return taken;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            budget.Return(length);
            length = 0;
            ReturnRing();
            controls.Clear();
        }
    }

    private void Grow(int need)
    {
        if (ring is not null && (need <= size || size == capacity))
        {
            return;
        }

        int wanted = Math.Min(capacity, Math.Max(SmallestRing, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)need)));
        byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
        int kept = length;
        if (ring is not null)
        {
            CopyOut(larger.AsSpan(0, kept));
            ArrayPool<byte>.Shared.Return(ring);
        }

        ring = larger;
        size = wanted;
        head = 0;
        length = kept;
    }

    private void DropOldest()
    {
        Advance(RelayRecords.Overhead + FirstFrameLength());
        counters.Drop(DropReason.QueueFull);
    }

    private int FirstFrameLength() => (ring![head] << 8) | ring[head + 1 == size ? 0 : head + 1];

    private void Append(ReadOnlySpan<byte> bytes)
    {
        int tail = head + length;
        if (tail >= size)
        {
            tail -= size;
        }

        int first = Math.Min(bytes.Length, size - tail);
        bytes[..first].CopyTo(ring.AsSpan(tail));
        bytes[first..].CopyTo(ring);
        length += bytes.Length;
        budget.Take(bytes.Length);
    }

    private void CopyOut(Span<byte> buffer)
    {
        int first = Math.Min(buffer.Length, size - head);
        ring.AsSpan(head, first).CopyTo(buffer);
        ring.AsSpan(0, buffer.Length - first).CopyTo(buffer[first..]);
    }

    private void Advance(int count)
    {
        head += count;
        if (head >= size)
        {
            head -= size;
        }

        length -= count;
        budget.Return(count);
    }

    private void ReturnRing()
    {
        if (ring is not null)
        {
            ArrayPool<byte>.Shared.Return(ring);
            ring = null;
            size = 0;
            head = 0;
        }
    }
}
