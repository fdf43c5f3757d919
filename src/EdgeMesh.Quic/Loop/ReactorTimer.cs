namespace EdgeMesh.Quic;

/// <summary>A deadline in its reactor's heap. In the loop only.</summary>
public sealed class ReactorTimer
{
    /// <summary>ns of <see cref="Reactor.Clock"/>; <see cref="long.MaxValue"/> = off.</summary>
    public long Deadline => throw new NotImplementedException();

    /// <summary>Sets or moves the deadline; the callback runs once, when it has passed.</summary>
    public void Set(long deadline) => throw new NotImplementedException();

    public void Cancel() => throw new NotImplementedException();
}
