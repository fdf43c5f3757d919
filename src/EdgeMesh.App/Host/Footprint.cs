using System.Runtime;

namespace EdgeMesh.App.Host;

/// <summary>
/// Gives back what was needed for a moment: parsers, certificates and handshakes leave garbage and touched pages that an idle
/// process would keep. Measured in <c>docs/decisions/memory.md</c>.
/// </summary>
internal static class Footprint
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    // A shrink takes some 30 ms with 5,000 Services.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    // Below this share of a core the process counts as idle. A server that only keeps thousands of agents is never that, but quiet.
    private const double IdleShare = 0.01;
    private const double QuietShare = 0.25;

    // What the heap takes beyond what was alive after the last shrink, when it is worth another one to a process that is not idle.
    private const double Growth = 1.25;
    private const long Slack = 16 << 20;

    public static void Shrink()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        FilePages.Release();
    }

    /// <summary>Shrinks now, and once more whenever the process falls idle after work, or has become quiet with a heap that has grown.</summary>
    public static async Task KeepSmallAsync(TimeProvider time, CancellationToken stop)
    {
        Shrink();
        long alive = GC.GetGCMemoryInfo().HeapSizeBytes;
        bool worked = true;
        long last = 0;
        TimeSpan before = Environment.CpuUsage.TotalTime;
        using PeriodicTimer timer = new(Period, time);
        while (await NextAsync(timer, stop).ConfigureAwait(false))
        {
            TimeSpan now = Environment.CpuUsage.TotalTime;
            double share = (now - before) / Period;
            if (IsWorthwhile(share, worked, GC.GetGCMemoryInfo().TotalCommittedBytes, alive) && (last == 0 || time.GetElapsedTime(last) > Rest))
            {
                Shrink();
                alive = GC.GetGCMemoryInfo().HeapSizeBytes;
                now = Environment.CpuUsage.TotalTime;
                last = time.GetTimestamp();
                worked = false;
            }

            worked |= share >= IdleShare;
            before = now;
        }
    }

    /// <param name="share">Of a core that the process used lately.</param>
    /// <param name="worked">Whether it has worked since the last shrink.</param>
    /// <param name="committed">What the heap takes.</param>
    /// <param name="alive">What was left of it after the last shrink.</param>
    internal static bool IsWorthwhile(double share, bool worked, long committed, long alive) =>
        share < IdleShare ? worked : share < QuietShare && committed > (alive * Growth) + Slack;

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
