using System.Threading.Tasks.Sources;

namespace EdgeMesh.Server.Sessions;

/// <summary>An auto-reset event for one waiter that costs no allocation per wait. The waiter continues on the thread pool.</summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    // Guards isSet and isWaiting.
    private readonly Lock gate = new();
    private ManualResetValueTaskSourceCore<bool> core = new() { RunContinuationsAsynchronously = true };
    private bool isSet;
    private bool isWaiting;

    public void Set()
    {
        lock (gate)
        {
            if (!isWaiting)
            {
                isSet = true;
                return;
            }

            isWaiting = false;
        }

        core.SetResult(true);
    }

    /// <summary>Must not be called again before the last wait is over.</summary>
    public ValueTask WaitAsync()
    {
        lock (gate)
        {
            if (isSet)
            {
                isSet = false;
                return ValueTask.CompletedTask;
            }

            core.Reset();
            isWaiting = true;
            return new ValueTask(this, core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);
}
