namespace EdgeMesh.Model;

/// <summary>
/// The one place where the current snapshot lives. One source publishes; any thread reads <see cref="Current"/>;
/// subscribers get every change, merged while they are busy, so a slow one costs memory only in proportion to the names
/// that changed.
/// </summary>
public sealed class SnapshotCell
{
    // Guards subscriptions and the order in which they see snapshots.
    private readonly Lock gate = new();
    private readonly List<SnapshotSubscription> subscriptions = [];
    private MeshSnapshot current = MeshSnapshot.Empty;

    public MeshSnapshot Current => Volatile.Read(ref current);

    /// <summary>Makes the update current. Its origin must be <see cref="Current"/>: there is one publisher at a time.</summary>
    /// <exception cref="InvalidOperationException">Another snapshot was published since the update began.</exception>
    public void Publish(MeshUpdate update)
    {
        if (update.IsEmpty)
        {
            return;
        }

        lock (gate)
        {
            if (!ReferenceEquals(update.Origin, current))
            {
                throw new InvalidOperationException("the update was made from a snapshot that is no longer current");
            }

            MeshSnapshot next = update.ToSnapshot();
            Volatile.Write(ref current, next);
            foreach (SnapshotSubscription subscription in subscriptions)
            {
                subscription.Add(next, update.ChangedServices, update.ChangedNodes);
            }
        }
    }

    /// <summary>The first change a new subscriber sees has <see cref="MeshSnapshot.Empty"/> as its old side and everything in it.</summary>
    public SnapshotSubscription Subscribe()
    {
        lock (gate)
        {
            SnapshotSubscription subscription = new(Remove);
            subscriptions.Add(subscription);
            if (!ReferenceEquals(current, MeshSnapshot.Empty))
            {
                subscription.Add(current, current.Services.Keys, current.Nodes.Keys);
            }

            return subscription;
        }
    }

    private void Remove(SnapshotSubscription subscription)
    {
        lock (gate)
        {
            subscriptions.Remove(subscription);
        }
    }
}
