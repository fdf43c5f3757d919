using System.Buffers.Binary;

using CsCheck;

using EdgeMesh.Server.Relay;
using EdgeMesh.Server.Sessions;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class OutboundQueueTests
{
    private readonly RelayCounters counters = new();
    private readonly QueueBudget budget = new(1 << 30);

    [Fact]
    public void DropsTheOldestAndStaysInItsBounds()
    {
        using OutboundQueue queue = new(16 * 1024, budget, counters);
        for (int i = 0; i < 100; i++)
        {
            byte[] frame = new byte[1000];
            BinaryPrimitives.WriteInt32BigEndian(frame, i);
            Assert.True(queue.Enqueue(frame));
            Assert.True(queue.Bytes <= 16 * 1024);
        }

        List<int> left = TakeAll(queue).ConvertAll(frame => BinaryPrimitives.ReadInt32BigEndian(frame));
        Assert.Equal(Enumerable.Range(84, 16), left);
        Assert.Equal(84, counters.Dropped(DropReason.QueueFull));
        Assert.Equal(0, queue.Bytes);
    }

    [Fact]
    public void GivesBackWhatWentIn() => Gen.Select(Gen.Byte.Array[0, 3000].Array[1, 40], Gen.Int[20, 4000]).Sample((frames, take) =>
    {
        using OutboundQueue queue = new(512 * 1024, budget, counters);
        List<byte[]> got = [];
        foreach (byte[] frame in frames)
        {
            queue.Enqueue(frame);
            got.AddRange(Take(queue, Math.Max(take, 3002)));
        }

        got.AddRange(TakeAll(queue));
        return got.Count == frames.Length && got.Zip(frames).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
    }, iter: 200);

    [Fact]
    public async Task WakesItsReader()
    {
        using OutboundQueue queue = new(16 * 1024, budget, counters);
        ValueTask waiting = queue.WaitAsync();
        Assert.False(waiting.IsCompleted);
        queue.Enqueue([1, 2, 3]);
        await waiting;
        Assert.Equal([1, 2, 3], Assert.Single(TakeAll(queue)));
    }

    [Fact]
    public void TakesNothingInOnceItIsClosed()
    {
        using OutboundQueue queue = new(16 * 1024, budget, counters);
        queue.Enqueue([1]);
        queue.Close();
        Assert.False(queue.Enqueue([2]));
        Assert.False(queue.EnqueueControl([3]));
        Assert.Equal([1], Assert.Single(TakeAll(queue)));
    }

    [Fact]
    public void AllQueuesTogetherStayInTheirBudgetAndAnEmptyOneFindsRoom()
    {
        QueueBudget small = new(256 * 1024);
        OutboundQueue[] slow = [.. Enumerable.Range(0, 100).Select(_ => new OutboundQueue(64 * 1024, small, counters))];
        for (int i = 0; i < 20_000; i++)
        {
            slow[i % slow.Length].Enqueue(new byte[1000]);
            Assert.True(small.Used <= 256 * 1024);
        }

        Assert.True(slow.Max(queue => queue.Bytes) <= slow.Min(queue => queue.Bytes) + 1002, "they shrink alike");
        using OutboundQueue fresh = new(64 * 1024, small, counters);
        fresh.Enqueue([1, 2, 3]);
        Assert.Equal([1, 2, 3], Assert.Single(TakeAll(fresh)));
        foreach (OutboundQueue queue in slow)
        {
            queue.Dispose();
        }

        Assert.Equal(0, small.Used);
    }

    private static List<byte[]> TakeAll(OutboundQueue queue)
    {
        List<byte[]> all = [];
        for (List<byte[]> some = Take(queue, 65536); some.Count > 0; some = Take(queue, 65536))
        {
            all.AddRange(some);
        }

        return all;
    }

    private static List<byte[]> Take(OutboundQueue queue, int size)
    {
        byte[] buffer = new byte[size];
        Span<byte> rest = buffer.AsSpan(0, queue.Take(buffer));
        List<byte[]> frames = [];
        while (!rest.IsEmpty)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            frames.Add(rest.Slice(2, length).ToArray());
            rest = rest[(2 + length)..];
        }

        return frames;
    }
}
