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

    // Below this share of a core the process counts as idle.
    private const double IdleShare = 0.01;

    public static void Shrink()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        FilePages.Release();
    }

    /// <summary>Shrinks now, and once more whenever the process falls idle after work.</summary>
    public static async Task KeepSmallAsync(TimeProvider time, CancellationToken stop)
    {
        Shrink();
        bool worked = true;
        long last = 0;
        TimeSpan before = Environment.CpuUsage.TotalTime;
        using PeriodicTimer timer = new(Period, time);
        while (await NextAsync(timer, stop).ConfigureAwait(false))
        {
            TimeSpan now = Environment.CpuUsage.TotalTime;
            bool isIdle = now - before < Period * IdleShare;
            if (isIdle && worked && (last == 0 || time.GetElapsedTime(last) > Rest))
            {
                Shrink();
                now = Environment.CpuUsage.TotalTime;
                last = time.GetTimestamp();
                worked = false;
            }

            worked |= !isIdle;
            before = now;
        }
    }

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
