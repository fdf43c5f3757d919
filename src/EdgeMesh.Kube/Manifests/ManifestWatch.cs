using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>
/// Says when the directory should be looked at: the kernel's events (inotify), gathered until they pause, and a slow tick
/// besides, because inotify loses events when its queue overflows, does not see through links, and goes deaf when the directory
/// is replaced.
/// </summary>
internal sealed class ManifestWatch(string directory, TimeProvider time, ILogger log) : IDisposable
{
    // A save is several events (truncate, write, rename): wait for the pause after them, but not for a file that is written forever.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(400);

    /// <summary>How often to look without inotify.</summary>
    public static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(1);

    // Guards the three fields below it.
    private readonly Lock gate = new();
    private readonly HashSet<string> dirty = new(StringComparer.Ordinal);
    private bool all;
    private bool isLost;

    private readonly SemaphoreSlim signal = new(0, 1);
    private FileSystemWatcher? watcher;
    private bool hasComplained;

    public bool IsLive => watcher is not null;

    /// <summary>Begins to watch, or begins anew. Where the kernel refuses, <see cref="IsLive"/> is false and ticks have to do.</summary>
    public void Renew()
    {
        watcher?.Dispose();
        watcher = null;
        FileSystemWatcher? fresh = null;
        try
        {
            fresh = new FileSystemWatcher(directory)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            fresh.Created += (_, change) => Mark(change.Name);
            fresh.Changed += (_, change) => Mark(change.Name);
            fresh.Deleted += (_, change) => Mark(change.Name);
            fresh.Renamed += (_, change) =>
            {
                Mark(change.OldName);
                Mark(change.Name);
            };
            fresh.Error += (_, _) => MarkLost();
            fresh.EnableRaisingEvents = true;
            watcher = fresh;
            hasComplained = false;
        }
        catch (Exception fault) when (fault is IOException or ArgumentException or UnauthorizedAccessException)
        {
            fresh?.Dispose();
            if (!hasComplained)
            {
                KubeLog.CannotWatch(log, directory, PollPeriod.TotalSeconds, fault.Message);
                hasComplained = true;
            }
        }
    }

    /// <summary>Waits for events and their pause, at most <paramref name="tick"/>. False: nothing happened, it is just time.</summary>
    public async Task<bool> WaitAsync(TimeSpan tick, CancellationToken stop)
    {
        if (!await SignalledAsync(tick, stop).ConfigureAwait(false))
        {
            return false;
        }

        long first = time.GetTimestamp();
        while (time.GetElapsedTime(first) < LongestWait && await SignalledAsync(Quiet, stop).ConfigureAwait(false))
        {
        }

        return true;
    }

    /// <summary>What events told since the last call.</summary>
    public WatchNews Take()
    {
        lock (gate)
        {
            WatchNews news = new(all ? null : new(dirty, dirty.Comparer), isLost);
            dirty.Clear();
            all = false;
            isLost = false;
            return news;
        }
    }

    public void Dispose()
    {
        watcher?.Dispose();
        watcher = null;
    }

    private async Task<bool> SignalledAsync(TimeSpan limit, CancellationToken stop)
    {
        using CancellationTokenSource late = new(limit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        try
        {
            await signal.WaitAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    // A name that is no manifest may be the link behind all of them (..data of a ConfigMap); editors' own names change nothing.
    private void Mark(string? name)
    {
        lock (gate)
        {
            if (name is null)
            {
                return;
            }

            if (name.StartsWith("..", StringComparison.Ordinal))
            {
                all = true;
            }
            else if (ManifestDirectory.IsManifest(name))
            {
                dirty.Add(name);
            }
            else
            {
                return;
            }

            Wake();
        }
    }

    private void MarkLost()
    {
        lock (gate)
        {
            isLost = true;
            Wake();
        }
    }

    private void Wake()
    {
        if (signal.CurrentCount == 0)
        {
            signal.Release();
        }
    }
}
