using System.Diagnostics;

namespace EdgeMesh.Bench.Load;

/// <summary>Attempts to connect by how they ended, second by second since <see cref="Begin"/>. Any thread.</summary>
internal sealed class AttemptLog
{
    private static readonly int Outcomes = Enum.GetValues<Outcome>().Length;

    private int[] counts = [];
    private long began;
    private long lastIn;

    /// <summary>When the last agent came in, from the beginning.</summary>
    public TimeSpan LastIn => Stopwatch.GetElapsedTime(Volatile.Read(ref began), Volatile.Read(ref lastIn));

    public int Seconds { get; private set; }

    public void Begin(int seconds)
    {
        Seconds = seconds;
        counts = new int[seconds * Outcomes];
        Volatile.Write(ref began, Stopwatch.GetTimestamp());
        Volatile.Write(ref lastIn, began);
    }

    public void Add(Outcome outcome)
    {
        int second = Math.Min(Seconds - 1, (int)Stopwatch.GetElapsedTime(Volatile.Read(ref began)).TotalSeconds);
        if (second >= 0)
        {
            Interlocked.Increment(ref counts[(second * Outcomes) + (int)outcome]);
        }

        if (outcome == Outcome.In)
        {
            Volatile.Write(ref lastIn, Stopwatch.GetTimestamp());
        }
    }

    public int Count(int second, Outcome outcome) => Volatile.Read(ref counts[(second * Outcomes) + (int)outcome]);

    public int Count(Outcome outcome) => Enumerable.Range(0, Seconds).Sum(second => Count(second, outcome));
}
