using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

/// <summary>A loop on a virtual clock: nothing waits, an hour passes in a moment.</summary>
internal sealed class VirtualDriver : IQuicDriver
{
    private readonly TimerHeap timers = new();
    private readonly PriorityQueue<Action, (long At, long Order)> events = new();
    private List<Action> endOfTurn = [];
    private List<Action> nextTurn = [];
    private long order;

    public long Now { get; private set; } = 1_000_000_000;

    public long Turns { get; private set; }

    public ReactorTimer CreateTimer(Action callback) => new(timers, callback);

    public void AtEndOfTurn(Action action) => endOfTurn.Add(action);

    public void NextTurn(Action action) => nextTurn.Add(action);

    public void At(long time, Action action) => events.Enqueue(action, (Math.Max(time, Now), order++));

    /// <summary>Runs until the condition holds.</summary>
    public void Until(Func<bool> condition, double limitSeconds = 60, string what = "the condition")
    {
        long end = Now + (long)(limitSeconds * 1e9);
        while (!condition())
        {
            Assert.True(Turn(end), $"{what} did not come within {limitSeconds} virtual seconds");
        }
    }

    public void For(double seconds)
    {
        long end = Now + (long)(seconds * 1e9);
        while (Turn(end))
        {
        }

        Now = end;
    }

    private bool Turn(long end)
    {
        Turns++;
        if (nextTurn.Count == 0 && endOfTurn.Count == 0)
        {
            long next = timers.Next;
            if (events.TryPeek(out _, out (long At, long Order) first))
            {
                next = Math.Min(next, first.At);
            }

            if (next > end)
            {
                return false;
            }

            Now = Math.Max(Now, next);
        }

        while (events.TryPeek(out Action? action, out (long At, long Order) due) && due.At <= Now)
        {
            events.Dequeue();
            action();
        }

        while (timers.TakeDue(Now) is { } timer)
        {
            timer.Fire();
        }

        Run(ref nextTurn);
        while (endOfTurn.Count > 0)
        {
            Run(ref endOfTurn);
        }

        return true;
    }

    private static void Run(ref List<Action> list)
    {
        List<Action> running = list;
        list = [];
        foreach (Action action in running)
        {
            action();
        }
    }
}
