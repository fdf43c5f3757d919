using Microsoft.Extensions.Logging;

namespace EdgeMesh.Quic;

/// <summary>
/// One thread that waits on epoll: sockets, timers and an inbox. Everything that lives on it is touched by this thread only,
/// so nothing in this room takes a lock.
/// </summary>
public sealed class Reactor : IAsyncDisposable
{
    public Reactor(string threadName, ILogger log) => throw new NotImplementedException();

    public void Start() => throw new NotImplementedException();

    /// <summary>CLOCK_MONOTONIC in ns. Any thread.</summary>
    public static long Clock() => throw new NotImplementedException();

    /// <summary>The time of this turn, ns of <see cref="Clock"/>.</summary>
    public long Now => throw new NotImplementedException();

    /// <summary>Whether the caller is on the loop's thread. Any thread.</summary>
    public bool IsInLoop => throw new NotImplementedException();

    /// <summary>Runs <paramref name="action"/> on the loop, in order of posting. Any thread. What it throws is logged.</summary>
    public void Post(Action action) => throw new NotImplementedException();

    /// <inheritdoc cref="Post(Action)"/>
    public void Post<T>(Action<T> action, T state) => throw new NotImplementedException();

    /// <summary>A timer that is off. Its callback runs on the loop.</summary>
    public ReactorTimer CreateTimer(Action callback) => throw new NotImplementedException();

    /// <summary>Runs <paramref name="action"/> once, after all events of this turn. In the loop only.</summary>
    public void AtEndOfTurn(Action action) => throw new NotImplementedException();

    /// <summary>Stops the thread. What was posted before still runs.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
