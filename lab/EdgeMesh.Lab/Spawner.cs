using System.Collections.Concurrent;
using System.Diagnostics;

namespace EdgeMesh.Lab;

/// <summary>
/// Starts all long-running children from one thread that never ends: PR_SET_PDEATHSIG goes off when the <b>thread</b> that
/// started the child ends, and a thread of the pool ends when it has been idle for a while.
/// </summary>
internal static class Spawner
{
    private static readonly BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process?> Done)> Requests = [];

    static Spawner() => new Thread(Run) { IsBackground = true, Name = "spawner" }.Start();

    public static Process? Start(ProcessStartInfo start)
    {
        TaskCompletionSource<Process?> done = new();
        Requests.Add((start, done));
        return done.Task.GetAwaiter().GetResult();
    }

    private static void Run()
    {
        foreach ((ProcessStartInfo start, TaskCompletionSource<Process?> done) in Requests.GetConsumingEnumerable())
        {
            try
            {
                done.SetResult(Process.Start(start));
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        }
    }
}
