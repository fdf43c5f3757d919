using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Model;

public sealed class SnapshotCellTests : IDisposable
{
    private readonly SnapshotCell cell = new();
    private readonly CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));

    public void Dispose() => timeout.Dispose();

    [Fact]
    public void BeginsEmptyAndUnsynced()
    {
        Assert.Same(MeshSnapshot.Empty, cell.Current);
        Assert.False(cell.Current.IsSynced);
    }

    [Fact]
    public void AnUpdateWithoutChangePublishesNothing()
    {
        Publish(update => update.Set(Service("a")));
        MeshSnapshot before = cell.Current;
        Publish(update => update.Set(Service("a")));
        Assert.Same(before, cell.Current);
    }

    [Fact]
    public void AnUpdateOfAnOldSnapshotIsRefused()
    {
        MeshUpdate late = new(cell.Current);
        late.Set(Service("late"));
        Publish(update => update.Set(Service("a")));
        Assert.Throws<InvalidOperationException>(() => cell.Publish(late));
        Assert.Equal([Name("a")], cell.Current.Services.Keys);
    }

    [Fact]
    public async Task ANewSubscriberSeesEverythingAsNew()
    {
        Publish(update =>
        {
            update.Set(Service("a"));
            update.Set(new Node { Name = NodeName.Parse("n") });
            update.MarkSynced();
        });
        using SnapshotSubscription subscription = cell.Subscribe();
        MeshChange change = await subscription.NextAsync(timeout.Token);
        Assert.Same(MeshSnapshot.Empty, change.Old);
        Assert.Same(cell.Current, change.New);
        Assert.Equal([Name("a")], change.Services);
        Assert.Equal([NodeName.Parse("n")], change.Nodes);
    }

    [Fact]
    public async Task ChangesMergeWhileASubscriberIsBusy()
    {
        using SnapshotSubscription subscription = cell.Subscribe();
        Publish(update => update.Set(Service("a")));
        MeshChange first = await subscription.NextAsync(timeout.Token);
        Publish(update => update.Set(Service("b")));
        Publish(update => update.RemoveService(Name("a")));
        Publish(update => update.Set(Service("c")));
        MeshChange second = await subscription.NextAsync(timeout.Token);
        Assert.Same(first.New, second.Old);
        Assert.Same(cell.Current, second.New);
        Assert.Equal(["a", "b", "c"], second.Services.Select(name => name.Name).Order());
        Assert.False(subscription.NextAsync(timeout.Token).AsTask().IsCompleted);
    }

    [Fact]
    public async Task BecomingSyncedIsAChangeByItself()
    {
        using SnapshotSubscription subscription = cell.Subscribe();
        Publish(update => update.MarkSynced());
        MeshChange change = await subscription.NextAsync(timeout.Token);
        Assert.True(change.New.IsSynced);
        Assert.Empty(change.Services);
    }

    [Fact]
    public async Task AWaitingSubscriberIsWokenByThePublication()
    {
        using SnapshotSubscription subscription = cell.Subscribe();
        Task<MeshChange> waiting = subscription.NextAsync(timeout.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        Publish(update => update.Set(Service("a")));
        Assert.Equal([Name("a")], (await waiting).Services);
    }

    [Fact]
    public async Task ADisposedSubscriberIsNotToldAnyMore()
    {
        SnapshotSubscription subscription = cell.Subscribe();
        subscription.Dispose();
        Publish(update => update.Set(Service("a")));
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await subscription.NextAsync(now.Token));
    }

    [Fact]
    public async Task NoChangeIsLostUnderConcurrentReading()
    {
        const int Count = 2_000;
        using SnapshotSubscription subscription = cell.Subscribe();
        Task<HashSet<ServiceName>> reading = Task.Run(async () =>
        {
            HashSet<ServiceName> seen = [];
            MeshSnapshot last = MeshSnapshot.Empty;
            while (last.Services.Count < Count)
            {
                MeshChange change = await subscription.NextAsync(timeout.Token);
                Assert.Same(last, change.Old);
                seen.UnionWith(change.Services);
                last = change.New;
            }

            return seen;
        });
        for (int i = 0; i < Count; i++)
        {
            Publish(update => update.Set(Service($"s{i}")));
        }

        Assert.Equal(Count, (await reading).Count);
    }

    private static ServiceName Name(string name) => new("default", name);

    private static Service Service(string name) => new() { Name = Name(name) };

    private void Publish(Action<MeshUpdate> change)
    {
        MeshUpdate update = new(cell.Current);
        change(update);
        cell.Publish(update);
    }
}
