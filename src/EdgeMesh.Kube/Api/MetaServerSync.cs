using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>
/// Keeps the model in step with KubeEdge's MetaServer, whose LIST is the truth where it comes from the cloud and whose WATCH is a
/// hint: lists at intervals and after every sign of change, one after the other; watches only what such a list has confirmed, for a
/// watch of an absent kind ends the CloudCore process; deletes only what such a list lacks.
/// </summary>
internal sealed class MetaServerSync(
    ApiClient api, IReadOnlyList<ApiResource> resources, ApiModel model, ApiHealth health, Random random, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Changes come in crowds, and CloudCore answers one request at a time.</summary>
    private static readonly TimeSpan AfterChange = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ListPatience = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim signs = new(0, 1);
    private readonly Dictionary<ApiResource, Kept> kept = resources.ToDictionary(resource => resource, _ => new Kept());
    private int watchNumber = random.Next(0, 100);

    // What was known before, from disk or from another API, is worth more than the node's own database.
    private readonly bool knewBefore = model.IsSynced;

    private enum Form
    {
        Unknown,
        Local,
        Cloud,
    }

    public async Task RunAsync(CancellationToken stop)
    {
        List<Task> watches = [];
        try
        {
            while (true)
            {
                foreach (ApiResource resource in resources)
                {
                    bool turned = await ListAsync(resource, stop).ConfigureAwait(false);
                    if (turned)
                    {
                        // Watches that were opened while the cloud was away stay deaf for life.
                        await kept[resource].StopWatchAsync().ConfigureAwait(false);
                        watches.RemoveAll(static task => task.IsCompleted);
                        CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
                        kept[resource].Watch = (Task.Run(() => WatchAsync(resource, ending.Token), CancellationToken.None), ending);
                        watches.Add(kept[resource].Watch!.Value.Running);
                    }
                }

                if (await signs.WaitAsync(Interval * (0.75 + (random.NextDouble() / 2)), stop).ConfigureAwait(false))
                {
                    await Task.Delay(AfterChange, time, stop).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (Kept each in kept.Values)
            {
                await each.StopWatchAsync().ConfigureAwait(false);
            }

        }
    }

    public void Dispose() => signs.Dispose();

    /// <returns>Whether lists of the kind have just become the cloud's: watch anew.</returns>
    private async Task<bool> ListAsync(ApiResource resource, CancellationToken stop)
    {
        Kept state = kept[resource];
        List<MappedObject> objects = [];
        ListHead head;
        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(ListPatience);
            using HttpResponseMessage response = await api.GetAsync(resource.Path, limit.Token).ConfigureAwait(false);
            ListReader reader = new(item => objects.AddRange(model.Read(resource, item)));
            head = await reader.ReadAsync(await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false), limit.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (!stop.IsCancellationRequested && fault is ApiException or HttpRequestException or IOException or OperationCanceledException)
        {
            health.Bad(resource, fault is OperationCanceledException ? new TimeoutException("no list in time") : fault);
            state.Form = Form.Unknown;
            return false;
        }

        Form form = !head.HasMetadata || head.ResourceVersion.Length == 0 ? Form.Unknown : head.SelfLink.Length > 0 ? Form.Local : Form.Cloud;
        bool turned = form == Form.Cloud && state.Form != Form.Cloud;
        state.Form = form;
        switch (form)
        {
            case Form.Cloud:
                state.Version = Number(head.ResourceVersion);
                state.HasTruth = true;
                model.Replace(resource, objects);
                health.Good(resource);
                break;
            case Form.Local:
                // The node's database may lack objects and hold deleted ones: better than nothing, worse than what we had from the cloud.
                if (!state.HasTruth && !knewBefore)
                {
                    model.Merge(resource, objects);
                }

                health.Bad(resource, new ApiException(0, "the cloud is away, the MetaServer answers from the node's own database; the last good state stays in force"));
                break;
            default:
                health.Bad(resource, new ApiException(0, "the MetaServer does not know yet, which is not the same as nothing; the last good state stays in force"));
                break;
        }

        return turned;
    }

    private async Task WatchAsync(ApiResource resource, CancellationToken stop)
    {
        RetryPause retry = new(random);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // Two watches with the same query share one listener and silence each other.
                int seconds = 300 + (Interlocked.Increment(ref watchNumber) * 7 % 300);
                using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                limit.CancelAfter(TimeSpan.FromSeconds(seconds) + WatchGrace);
                using HttpResponseMessage response = await api.GetAsync(
                    string.Create(CultureInfo.InvariantCulture, $"{resource.Path}?watch=1&timeoutSeconds={seconds}"), limit.Token).ConfigureAwait(false);
                await WatchReader.ReadAsync(
                    await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false),
                    line => Take(resource, model.ReadEvent(resource, line)),
                    model.Commit,
                    limit.Token).ConfigureAwait(false);
                retry.Reset();
            }
            catch (Exception fault) when (fault is ApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                if (!stop.IsCancellationRequested)
                {
                    KubeLog.WatchEnds(log, resource.Path, fault.Message);
                    await Task.Delay(retry.After(fault), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
    }

    private void Take(ApiResource resource, in WatchEvent told)
    {
        // A replayed object that the last list of the cloud lacks, and that is no newer than it, was deleted.
        if (told.Type == "ADDED" && Number(told.ResourceVersion) <= kept[resource].Version)
        {
            return;
        }

        model.Take(resource, told);
        if (signs.CurrentCount == 0)
        {
            signs.Release();
        }
    }

    private static long Number(string version) => long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : long.MaxValue;

    private sealed class Kept
    {
        public Form Form { get; set; }

        /// <summary>Of the last list of the cloud. 0: none yet.</summary>
        public long Version { get; set; }

        public bool HasTruth { get; set; }

        public (Task Running, CancellationTokenSource Ending)? Watch { get; set; }

        public async Task StopWatchAsync()
        {
            if (Watch is { } watch)
            {
                Watch = null;
                await watch.Ending.CancelAsync().ConfigureAwait(false);
                await watch.Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                watch.Ending.Dispose();
            }
        }
    }
}
