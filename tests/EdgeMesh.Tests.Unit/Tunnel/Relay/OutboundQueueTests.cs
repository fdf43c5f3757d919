using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Relay;

public sealed class OutboundQueueTests
{
    [Fact]
    public async Task FramesAreGatheredInOrderAndTextGoesFirst()
    {
        using OutboundQueue queue = new(() => { });
        Assert.True(queue.Add([1, 2]));
        Assert.True(queue.Add([3]));
        queue.AddText([9]);
        Assert.Equal([9], (await queue.TakeAsync(CancellationToken.None)).Text);
        OutboundQueue.Batch batch = (await queue.TakeAsync(CancellationToken.None)).Frames!;
        Assert.Equal([0, 2, 1, 2, 0, 1, 3], batch.Buffer[..batch.Length]);
    }

    [Fact]
    public async Task AMessageNeverExceeds64KiB()
    {
        using OutboundQueue queue = new(() => { });
        byte[] frame = new byte[1218];
        for (int i = 0; i < 100; i++)
        {
            Assert.True(queue.Add(frame));
        }

        OutboundQueue.Batch first = (await queue.TakeAsync(CancellationToken.None)).Frames!;
        OutboundQueue.Batch second = (await queue.TakeAsync(CancellationToken.None)).Frames!;
        Assert.InRange(first.Length, RelayRecords.MaxMessage - 1220, RelayRecords.MaxMessage);
        Assert.Equal(100 * 1220, first.Length + second.Length);
    }

    [Fact]
    public async Task WhenFullItRefusesAndSaysWhenThereIsRoomAgain()
    {
        int rooms = 0;
        using OutboundQueue queue = new(() => rooms++);
        byte[] frame = new byte[1000];
        int added = 0;
        while (queue.Add(frame))
        {
            added++;
        }

        Assert.InRange(added * 1002, OutboundQueue.MaxBytes - 1002, OutboundQueue.MaxBytes);
        while (rooms == 0)
        {
            queue.Return((await queue.TakeAsync(CancellationToken.None)).Frames!);
        }

        Assert.True(queue.HasRoom(OutboundQueue.MaxBytes / 2));
        Assert.True(queue.Add(frame));
    }

    [Fact]
    public async Task ClosedItEndsItsSenderAfterWhatIsQueued()
    {
        using OutboundQueue queue = new(() => { });
        queue.AddText([1]);
        queue.Close();
        Assert.NotNull((await queue.TakeAsync(CancellationToken.None)).Text);
        Assert.Equal((null, null), await queue.TakeAsync(CancellationToken.None));
    }

    [Fact]
    public void BackoffStaysFastForTwoMinutesAndIsNeverLong()
    {
        Backoff backoff = new(new Random(1));
        double total = 0;
        for (int i = 0; i < 2000; i++)
        {
            double pause = backoff.Next().TotalMilliseconds;
            total += pause;
            Assert.InRange(pause, 0, total < 60_000 ? 1_000 : 10_000);
        }

        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 0, 50);
    }

    [Fact]
    public void BackoffBeginsAnewAfterAConnectionThatStoodAndWaitsWhenReplaced()
    {
        Backoff backoff = new(new Random(1));
        for (int i = 0; i < 20; i++)
        {
            backoff.After(TimeSpan.FromSeconds(1), wasReplaced: false);
        }

        Assert.InRange(backoff.After(TimeSpan.FromSeconds(6), wasReplaced: false).TotalMilliseconds, 0, 50);
        Assert.Equal(TimeSpan.FromSeconds(10), backoff.After(TimeSpan.FromSeconds(6), wasReplaced: true));
    }
}
