using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class ReactorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task RunsWhatIsPostedInOrderFromManyThreads()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        List<(int Thread, int Number)> seen = [];
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(t => Task.Run(() =>
        {
            for (int i = 0; i < 5000; i++)
            {
                reactor.Post(
                    s =>
                    {
                        seen.Add(s);
                        if (seen.Count == 20_000)
                        {
                            done.SetResult();
                        }
                    },
                    (t, i));
            }
        })));
        await done.Task.WaitAsync(Patience);
        Assert.All(seen.GroupBy(s => s.Thread), g => Assert.Equal(Enumerable.Range(0, 5000), g.Select(s => s.Number)));
    }

    [Fact]
    public async Task AnExceptionDoesNotEndTheLoop()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        TaskCompletionSource<bool> after = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() => throw new InvalidOperationException("fault"));
        reactor.Post(() => after.SetResult(reactor.IsInLoop));
        Assert.True(await after.Task.WaitAsync(Patience));
        Assert.False(reactor.IsInLoop);
    }

    [Fact]
    public async Task TimersFireAtTheirTimeAndTurnsEndInOrder()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        List<string> order = [];
        TaskCompletionSource<(long Due, long Now)> fired = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() =>
        {
            long due = reactor.Now + 20_000_000;
            ReactorTimer never = reactor.CreateTimer(() => order.Add("cancelled"));
            never.Set(due - 1_000_000);
            never.Cancel();
            ReactorTimer timer = reactor.CreateTimer(() => fired.SetResult((due, reactor.Now)));
            timer.Set(long.MaxValue - 1);
            timer.Set(due);
            reactor.NextTurn(() =>
            {
                order.Add("next turn");
                reactor.AtEndOfTurn(() => order.Add("its end"));
            });
            reactor.AtEndOfTurn(() =>
            {
                order.Add("end");
                reactor.AtEndOfTurn(() => order.Add("end of the end"));
            });
        });
        (long dueAt, long now) = await fired.Task.WaitAsync(Patience);
        Assert.True(now >= dueAt);

        // Inbox, then the work for the next turn (which comes behind the inbox of the same one), then the ends.
        Assert.Equal(["next turn", "end", "its end", "end of the end"], order);
    }

    [Fact]
    public async Task WhatWasPostedBeforeTheEndStillRuns()
    {
        Reactor reactor = new("test", NullLogger.Instance);
        int ran = 0;
        reactor.Start();
        for (int i = 0; i < 1000; i++)
        {
            reactor.Post(() => ran++);
        }

        await reactor.DisposeAsync();
        Assert.Equal(1000, ran);
        await reactor.DisposeAsync();
    }
}
