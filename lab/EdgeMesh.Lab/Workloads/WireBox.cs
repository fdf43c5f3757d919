using System.Collections.Concurrent;
using System.Diagnostics;

namespace EdgeMesh.Lab.Workloads;

/// <summary>
/// The box that netem would be: frames from one interface leave by the other, late, at a rate, and not all of them. One thread
/// takes in and one gives out per direction; order is kept.
/// </summary>
internal sealed class WireBox(string left, string right, Shape first) : IDisposable
{
    private readonly PacketSocket leftSocket = new(left);
    private readonly PacketSocket rightSocket = new(right);
    private volatile StrongShape shape = new(first);

    private sealed record StrongShape(Shape Value);

    public void Set(Shape next) => shape = new StrongShape(next);

    public void Dispose()
    {
        leftSocket.Dispose();
        rightSocket.Dispose();
    }

    public void Start()
    {
        Carry(leftSocket, rightSocket, 1);
        Carry(rightSocket, leftSocket, 2);
    }

    private void Carry(PacketSocket from, PacketSocket to, int seed)
    {
        ConcurrentQueue<(byte[] Frame, int Length, long Due)> underway = new();
        SemaphoreSlim arrived = new(0);
        Run(() =>
        {
            Random random = new(seed);
            byte[] buffer = new byte[70_000];
            double lineFree = 0;
            while (true)
            {
                int length = from.Receive(buffer);
                Shape now = shape.Value;
                double clock = Stopwatch.GetTimestamp() * 1e6 / Stopwatch.Frequency;
                lineFree = Math.Max(lineFree, clock);
                if ((now.Loss > 0 && random.NextDouble() < now.Loss) || lineFree - clock > now.Queue.TotalMicroseconds)
                {
                    continue;
                }

                if (now.MegabitsPerSecond > 0)
                {
                    lineFree += length * 8.0 / now.MegabitsPerSecond;
                }

                byte[] frame = System.Buffers.ArrayPool<byte>.Shared.Rent(length);
                buffer.AsSpan(0, length).CopyTo(frame);
                underway.Enqueue((frame, length, (long)(lineFree + now.Delay.TotalMicroseconds)));
                arrived.Release();
            }
        });
        Run(() =>
        {
            while (true)
            {
                arrived.Wait();
                if (!underway.TryDequeue(out (byte[] Frame, int Length, long Due) next))
                {
                    continue;
                }

                long wait = next.Due - (long)(Stopwatch.GetTimestamp() * 1e6 / Stopwatch.Frequency);
                if (wait > 100)
                {
                    // A sleep of less than what the timer slack adds would only be late; frames due within it leave in a burst.
                    Thread.Sleep(TimeSpan.FromMicroseconds(wait - 50));
                }

                to.Send(next.Frame.AsSpan(0, next.Length));
                System.Buffers.ArrayPool<byte>.Shared.Return(next.Frame);
            }
        });
    }

    private static void Run(ThreadStart work) => new Thread(work) { IsBackground = true }.Start();
}
