namespace EdgeMesh.Quic;

/// <summary>A deadline in its reactor's heap. In the loop only.</summary>
public sealed class ReactorTimer
{
    private readonly TimerHeap heap;
    private readonly Action callback;

    internal ReactorTimer(TimerHeap heap, Action callback)
    {
        this.heap = heap;
        this.callback = callback;
    }

    /// <summary>ns of <see cref="Reactor.Clock"/>; <see cref="long.MaxValue"/> = off.</summary>
    public long Deadline { get; internal set; } = long.MaxValue;

    internal int HeapIndex { get; set; } = -1;

    /// <summary>Sets or moves the deadline; the callback runs once, when it has passed.</summary>
    public void Set(long deadline) => heap.Set(this, deadline);

    public void Cancel() => heap.Set(this, long.MaxValue);

    internal void Fire() => callback();
}
