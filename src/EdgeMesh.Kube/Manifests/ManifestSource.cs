using System.Collections.Immutable;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>
/// The model from a directory of Kubernetes YAML and JSON files, watched live: a saved file is in force within a second. A broken
/// file is reported in <see cref="Status"/> and the log while its last good state stays in force.
/// </summary>
/// <remarks>It is the only publisher of its cell while it runs.</remarks>
public sealed class ManifestSource : IAsyncDisposable
{
    // The tick finds what inotify cannot tell; it is lengthened where a look at the directory is expensive.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);
    private const int TickPerCost = 1000;

    // An editor that truncates and then writes shows an empty file for a moment; a file that stays empty was meant to be.
    private static readonly TimeSpan EmptyGrace = TimeSpan.FromMilliseconds(500);

    private readonly SnapshotCell cell;
    private readonly string directory;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly ManifestSet set = new();
    private readonly ManifestDirectory files;
    private readonly ManifestWatch watch;
    private readonly Dictionary<string, long> empty = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new();
    private TaskCompletionSource statusChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SourceStatus status;
    private SourceProblem? unreadable;

    // The model may differ from the files: before the first update, and when one could not be published.
    private bool isOutOfStep = true;
    private Task running = Task.CompletedTask;

    /// <param name="cell">Where the model is published.</param>
    /// <param name="directory">Read without its sub-directories.</param>
    /// <param name="logs">For the log of this source.</param>
    public ManifestSource(SnapshotCell cell, string directory, ILoggerFactory logs)
        : this(cell, directory, TimeProvider.System, logs)
    {
    }

    internal ManifestSource(SnapshotCell cell, string directory, TimeProvider time, ILoggerFactory logs)
    {
        this.cell = cell;
        this.directory = Path.GetFullPath(directory);
        this.time = time;
        log = logs.CreateLogger("EdgeMesh.Kube.Manifests");
        files = new ManifestDirectory(this.directory, new ManifestParser(new StringPool(), log));
        watch = new ManifestWatch(this.directory, time, log);
        status = new SourceStatus($"manifests {this.directory}", false, [], default, 0, 0, 0, 0);
    }

    public SourceStatus Status => Volatile.Read(ref status);

    /// <summary>Reads the directory once, publishes what its good files say, and goes on watching until disposed.</summary>
    /// <exception cref="MeshException">The directory is not there or cannot be read.</exception>
    public Task StartAsync(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        RequireDirectory();

        // Watch first, read then: a change in between is seen twice rather than never.
        watch.Renew();
        try
        {
            Read(suspects: null);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            watch.Dispose();
            throw new MeshException(
                MeshExit.Usage,
                $"--manifests {directory}: cannot be read ({fault.Message}): let the agent read it, or name another directory",
                fault);
        }

        KubeLog.ManifestsRead(log, directory, Status.Files, Status.Services, Status.EndpointSlices, Status.Nodes);
        running = Task.Run(() => RunAsync(stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        watch.Dispose();
        stopping.Dispose();
    }

    /// <summary>Waits until the status is as wanted.</summary>
    internal async Task<SourceStatus> WaitForStatusAsync(Predicate<SourceStatus> wanted, CancellationToken stop)
    {
        while (true)
        {
            Task changed = Volatile.Read(ref statusChanged).Task;
            if (wanted(Status))
            {
                return Status;
            }

            await changed.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    private void RequireDirectory()
    {
        if (File.Exists(directory))
        {
            throw new MeshException(MeshExit.Usage, $"--manifests {directory}: is a file: give the directory it is in");
        }

        if (!Directory.Exists(directory))
        {
            throw new MeshException(
                MeshExit.Usage, $"--manifests {directory}: there is no such directory: create it, or name one with Kubernetes YAML files");
        }
    }

    private async Task RunAsync(CancellationToken stop)
    {
        TimeSpan cost = TimeSpan.Zero;
        try
        {
            while (true)
            {
                bool isEvent = await watch.WaitAsync(NextLook(cost), stop).ConfigureAwait(false);
                long begin = time.GetTimestamp();
                Look(isEvent);
                cost = time.GetElapsedTime(begin);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private TimeSpan NextLook(TimeSpan cost)
    {
        if (empty.Count > 0)
        {
            return EmptyGrace;
        }

        TimeSpan tick = watch.IsLive && unreadable is null ? Tick : ManifestWatch.PollPeriod;
        return cost * TickPerCost > tick ? cost * TickPerCost : tick;
    }

    private void Look(bool isEvent)
    {
        try
        {
            WatchNews news = watch.Take();
            bool wasAway = unreadable is not null;
            bool hadGrace = empty.Count > 0;
            bool changed = Read(news.Names);

            // What no event announced shows that the watch is deaf: the directory was replaced, or the queue overflowed.
            if (wasAway || !watch.IsLive || news.IsLost || (changed && !isEvent && !hadGrace))
            {
                KubeLog.WatchRenewed(log, directory, wasAway ? "it is back" : news.IsLost ? "events were lost" : "it was deaf");
                watch.Renew();
                Read(suspects: []);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            unreadable = new SourceProblem(
                directory, 0, $"cannot be read, the last good state of all files stays in force: {fault.Message}");
            Show(Status.LastChange);
        }
        catch (Exception fault)
        {
            KubeLog.ReadFailed(log, fault, directory);
        }
    }

    /// <summary>One look at the directory. True when a file was new, changed or gone.</summary>
    /// <param name="suspects">Files to read whatever their stamps say; null for all.</param>
    private bool Read(HashSet<string>? suspects)
    {
        HashSet<string> present = files.List();
        unreadable = null;
        MeshUpdate update = new(cell.Current);
        List<string> changed = [];
        foreach (string gone in set.Files.Where(name => !present.Contains(name)).ToList())
        {
            set.Remove(gone, update);
            files.Forget(gone);
            empty.Remove(gone);
            changed.Add(gone);
        }

        foreach (string name in present.Order(StringComparer.Ordinal))
        {
            bool wasEmpty = empty.TryGetValue(name, out long since);
            bool keepWhenEmpty = set.HasObjects(name) && !(wasEmpty && time.GetElapsedTime(since) >= EmptyGrace);
            bool isSuspect = wasEmpty || suspects is null || suspects.Contains(name);
            ManifestContent? content = files.Read(name, isSuspect, keepWhenEmpty, out bool isEmpty);
            if (!isEmpty)
            {
                empty.Remove(name);
            }
            else if (!wasEmpty)
            {
                empty.Add(name, time.GetTimestamp());
            }

            if (content is not null)
            {
                KubeMetrics.FileRead(content.IsBroken);
                set.Put(name, content, update);
                changed.Add(name);
            }
        }

        Publish(update, changed);
        return changed.Count > 0;
    }

    private void Publish(MeshUpdate update, List<string> changed)
    {
        bool isFirst = !Status.Synced;
        if (isOutOfStep)
        {
            set.Replace(update);
            update.MarkSynced();
        }

        isOutOfStep = true;

        DateTimeOffset lastChange = Status.LastChange;
        if (!update.IsEmpty)
        {
            cell.Publish(update);
            KubeMetrics.Changed();
            lastChange = time.GetUtcNow();
            if (!isFirst)
            {
                KubeLog.ManifestsChanged(
                    log, string.Join(", ", changed), update.ChangedServices.Count, update.ChangedNodes.Count);
            }
        }

        isOutOfStep = false;
        Show(lastChange, synced: true);
    }

    private void Show(DateTimeOffset lastChange, bool? synced = null)
    {
        SourceStatus before = Status;
        ImmutableArray<SourceProblem> problems = set.Problems(files.PathOf);
        if (unreadable is not null)
        {
            problems = problems.Insert(0, unreadable);
        }

        if (problems.SequenceEqual(before.Problems))
        {
            problems = before.Problems;
        }

        foreach (SourceProblem problem in problems.Except(before.Problems))
        {
            KubeLog.Problem(log, problem);
        }

        foreach (SourceProblem problem in before.Problems.Except(problems))
        {
            KubeLog.Mended(log, problem);
        }

        SourceStatus next = before with
        {
            Synced = synced ?? before.Synced,
            Problems = problems,
            LastChange = lastChange,
            Files = set.Count,
            Services = set.CountOf(ObjectKind.Service),
            EndpointSlices = set.CountOf(ObjectKind.EndpointSlice),
            Nodes = set.CountOf(ObjectKind.Node),
        };
        if (next == before)
        {
            return;
        }

        Volatile.Write(ref status, next);
        KubeMetrics.Show(next);
        Interlocked.Exchange(ref statusChanged, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}
