using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Relay;

/// <summary>
/// What waits to go out on one WebSocket: relayed frames, gathered into messages of up to 64 KiB while an earlier one is being
/// sent, and text messages, which go first. Bounded: when it is full the caller keeps its frames. Added in the loop, taken by
/// the one sender task.
/// </summary>
internal sealed class OutboundQueue(Action onRoom) : IDisposable
{
    /// <summary>Beyond this <see cref="Add"/> takes nothing: with 128 KiB in the kernel that is 30 ms at 100 Mbit/s.</summary>
    public const int MaxBytes = 256 * 1024;

    // Guards all fields below.
    private readonly Lock gate = new();
    private readonly Queue<byte[]> texts = [];
    private readonly Queue<Batch> batches = [];
    private readonly Stack<byte[]> pool = [];
    private Batch? tail;
    private int queued;
    private bool isRefused;
    private bool isClosed;

    private readonly SemaphoreSlim signal = new(0, 1);

    /// <returns>False: full. <c>onRoom</c> is called when half of it is gone.</returns>
    public bool Add(ReadOnlySpan<byte> frame)
    {
        lock (gate)
        {
            if (isClosed)
            {
                return true;
            }

            if (queued + frame.Length + RelayRecords.Overhead > MaxBytes)
            {
                isRefused = true;
                return false;
            }

            if (tail is null || tail.Length + frame.Length + RelayRecords.Overhead > RelayRecords.MaxMessage)
            {
                tail = new Batch(pool.TryPop(out byte[]? free) ? free : new byte[RelayRecords.MaxMessage]);
                batches.Enqueue(tail);
            }

            int written = RelayRecords.Write(tail.Buffer.AsSpan(tail.Length), frame);
            tail.Length += written;
            queued += written;
            Wake();
            return true;
        }
    }

    /// <summary>Whether <see cref="Add"/> would take that many bytes; if not, <c>onRoom</c> is called when half of the queue is gone.</summary>
    public bool HasRoom(int bytes)
    {
        lock (gate)
        {
            bool room = isClosed || queued + bytes <= MaxBytes;
            isRefused |= !room;
            return room;
        }
    }

    public void AddText(byte[] message)
    {
        lock (gate)
        {
            if (!isClosed && texts.Count < 256)
            {
                texts.Enqueue(message);
                Wake();
            }
        }
    }

    /// <summary>Ends the sender once all that is queued has been taken.</summary>
    public void Close()
    {
        lock (gate)
        {
            isClosed = true;
            Wake();
        }
    }

    /// <summary>Waits for the next message. Give the batch back with <see cref="Return"/>.</summary>
    /// <returns>Exactly one of the two, or neither when the queue is closed and empty.</returns>
    public async ValueTask<(byte[]? Text, Batch? Frames)> TakeAsync(CancellationToken stop)
    {
        while (true)
        {
            lock (gate)
            {
                if (texts.TryDequeue(out byte[]? text))
                {
                    return (text, null);
                }

                if (batches.TryDequeue(out Batch? batch))
                {
                    tail = batches.Count == 0 ? null : tail;
                    return (null, batch);
                }

                if (isClosed)
                {
                    return (null, null);
                }
            }

            await signal.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>The batch has been sent.</summary>
    public void Return(Batch batch)
    {
        bool room;
        lock (gate)
        {
            queued -= batch.Length;
            room = isRefused && queued <= MaxBytes / 2;
            isRefused &= !room;
            if (pool.Count < 2)
            {
                pool.Push(batch.Buffer);
            }
        }

        if (room)
        {
            onRoom();
        }
    }

    public void Dispose() => signal.Dispose();

    private void Wake()
    {
        if (signal.CurrentCount == 0)
        {
            signal.Release();
        }
    }

    /// <summary>One binary message that is being filled or sent.</summary>
    internal sealed class Batch(byte[] buffer)
    {
        public byte[] Buffer => buffer;

        public int Length { get; set; }
    }
}
