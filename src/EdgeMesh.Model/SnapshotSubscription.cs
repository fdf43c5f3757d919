using System.Collections.Immutable;

namespace EdgeMesh.Model;

/// <summary>One reader's view of the changes of a <see cref="SnapshotCell"/>. One caller of <see cref="NextAsync"/> at a time.</summary>
public sealed class SnapshotSubscription : IDisposable
{
    // Guards the three fields below it.
    private readonly Lock gate = new();
    private readonly HashSet<ServiceName> services = [];
    private readonly HashSet<NodeName> nodes = [];
    private MeshSnapshot? pending;

    private readonly SemaphoreSlim signal = new(0, 1);
    private readonly Action<SnapshotSubscription> remove;
    private MeshSnapshot seen = MeshSnapshot.Empty;

    internal SnapshotSubscription(Action<SnapshotSubscription> remove) => this.remove = remove;

    /// <summary>Waits for the next change; changes that came meanwhile are merged into one.</summary>
    public async ValueTask<MeshChange> NextAsync(CancellationToken stop)
    {
        while (true)
        {
            await signal.WaitAsync(stop).ConfigureAwait(false);
            lock (gate)
            {
                if (pending is null)
                {
                    continue;
                }

                MeshChange change = new(seen, pending, [.. services], [.. nodes]);
                seen = pending;
                pending = null;
                services.Clear();
                nodes.Clear();
                return change;
            }
        }
    }

    public void Dispose() => remove(this);

    internal void Add(MeshSnapshot next, IEnumerable<ServiceName> changedServices, IEnumerable<NodeName> changedNodes)
    {
        lock (gate)
        {
            bool first = pending is null;
            pending = next;
            services.UnionWith(changedServices);
            nodes.UnionWith(changedNodes);
            if (first && signal.CurrentCount == 0)
            {
                signal.Release();
            }
        }
    }
}
