namespace EdgeMesh.Dns;

/// <summary>Owner of short tasks that nobody waits for one by one: bounded in number, awaited at the end.</summary>
internal sealed class TaskGroup(int limit)
{
    // Guards both fields below it.
    private readonly Lock gate = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int running;
    private bool closed;

    /// <summary>Starts the work unless the group is full or closed. The work must not throw.</summary>
    public bool TryRun<T>(Func<T, Task> work, T argument)
    {
        lock (gate)
        {
            if (closed || running >= limit)
            {
                return false;
            }

            running++;
        }

        Task task = work(argument);
        if (task.IsCompleted)
        {
            Leave();
        }
        else
        {
            task.GetAwaiter().OnCompleted(Leave);
        }

        return true;
    }

    /// <summary>Refuses new work and waits for what runs.</summary>
    public Task CloseAsync()
    {
        lock (gate)
        {
            closed = true;
            if (running == 0)
            {
                drained.TrySetResult();
            }
        }

        return drained.Task;
    }

    private void Leave()
    {
        lock (gate)
        {
            running--;
            if (closed && running == 0)
            {
                drained.TrySetResult();
            }
        }
    }
}
