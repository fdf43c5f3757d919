using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>
/// Keeps one kind of object in step with a kube-apiserver: LIST, then WATCH from there, and again (Kubernetes API concepts;
/// client-go's reflector). A server that can gives the list as the beginning of the watch (streaming lists, KEP-3157).
/// </summary>
internal sealed class Reflector(
    ApiClient api, ApiResource resource, ApiModel model, ApiHealth health, Random random, TimeProvider time, ILogger log, ApiResource? otherwise = null)
{
    private const int PageSize = 500;
    private const int MinWatchSeconds = 300;
    private const int MaxWatchSeconds = 600;

    /// <summary>A watch that says nothing for this much longer than it was to last is a half-open connection.</summary>
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);

    /// <summary>How often an optional kind is asked for that the API does not have.</summary>
    private static readonly TimeSpan OptionalPause = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan ListIdle = TimeSpan.FromSeconds(30);

    // A watch that ends at once without a word would be opened again and again.
    private static readonly TimeSpan ShortWatch = TimeSpan.FromSeconds(1);

    private readonly RetryPause retry = new(random);
    private ApiResource current = resource;

    // Until the server refuses (those that do not know it refuse resourceVersionMatch on a watch) or breaks off.
    private bool canStream = true;

    // The list that comes as the beginning of a watch, while it is incomplete.
    private Dictionary<ObjectKey, IReadOnlyList<MappedObject>>? gathering;

    // Where the watch goes on; null: list first.
    private string? version;

    // Its number, where it is one: versions of one watch only grow.
    private long newest;

    // The newest version ever seen: a list from a server that lags behind must not bring the past back.
    private string seen = "";

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (version is null && !(canStream && !current.IsEndpoints))
                {
                    await ListAsync(stop).ConfigureAwait(false);
                    health.Good(current);
                }

                await WatchAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException fault) when (version is null && canStream && fault.Status is 400 or 422)
            {
                canStream = false;
            }
            catch (ApiException fault) when (fault.IsGone)
            {
                KubeLog.Relists(log, current.Path, fault.Message);
                version = null;
                await PauseAsync(fault, stop).ConfigureAwait(false);
            }
            catch (ApiException fault) when (fault.IsAbsent && otherwise is not null && current != otherwise)
            {
                current = otherwise;
            }
            catch (ApiException fault) when (current.IsOptional && (fault.IsAbsent || fault.Status == 403))
            {
                // Nothing of it is, or may be, known: whatever was is gone. It may be installed one day.
                model.Replace(current, []);
                version = null;
                await Task.Delay(OptionalPause, time, stop).ContinueWith(
                    static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
            }
            catch (Exception fault)
            {
                // Whatever it is: one that gave up would leave this node with old Services for good.
                if (fault is ApiException { IsGarbled: true })
                {
                    KubeLog.Relists(log, current.Path, fault.Message);
                    version = null;
                }

                health.Bad(current, fault is OperationCanceledException ? new TimeoutException("no answer in time") : fault);
                await PauseAsync(fault, stop).ConfigureAwait(false);
            }
        }
    }

    private Task PauseAsync(Exception fault, CancellationToken stop) => Task.Delay(retry.After(fault), time, stop).ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task ListAsync(CancellationToken stop)
    {
        // "Not older than": from any server's cache that is no older than what we know.
        string from = seen.Length == 0 ? "0" : Uri.EscapeDataString(seen);
        try
        {
            await ListAsync($"&resourceVersion={from}", stop).ConfigureAwait(false);
        }
        catch (ApiException fault) when (fault.IsGone || fault.IsTooNew)
        {
            // The token of a page, or the version itself, is of no use any more: the newest there is.
            await ListAsync("", stop).ConfigureAwait(false);
        }
    }

    private async Task ListAsync(string first, CancellationToken stop)
    {
        List<MappedObject> objects = [];
        ListReader? reader = null;
        string query = first;
        ListHead head;
        do
        {
            using CancellationTokenSource idle = CancellationTokenSource.CreateLinkedTokenSource(stop);
            idle.CancelAfter(ListIdle);
            using HttpResponseMessage response = await api.GetAsync($"{current.Path}?limit={PageSize}{query}", idle.Token).ConfigureAwait(false);
            reader = new ListReader(item =>
            {
                idle.CancelAfter(ListIdle);
                objects.AddRange(model.Read(current, item));
            });
            head = await reader.ReadAsync(await response.Content.ReadAsStreamAsync(idle.Token).ConfigureAwait(false), idle.Token).ConfigureAwait(false);
            if (head.ResourceVersion.Length == 0)
            {
                throw new ApiException(0, "the list has no resourceVersion");
            }

            query = $"&continue={Uri.EscapeDataString(head.Continue)}";
        }
        while (head.Continue.Length > 0);

        model.Replace(current, objects);
        version = seen = head.ResourceVersion;
        newest = Number(version);
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        long began = time.GetTimestamp();
        bool isSilent = true;
        bool isList = version is null;
        gathering = isList ? [] : null;
        int seconds = random.Next(MinWatchSeconds, MaxWatchSeconds + 1);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        TimeSpan whole = TimeSpan.FromSeconds(seconds) + WatchGrace;
        limit.CancelAfter(isList ? ListIdle : whole);
        string from = isList ? "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=" : "resourceVersion=";
        using HttpResponseMessage response = await api.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"{current.Path}?watch=1&allowWatchBookmarks=true&{from}{Uri.EscapeDataString(version ?? seen)}&timeoutSeconds={seconds}"),
            limit.Token).ConfigureAwait(false);
        if (!isList)
        {
            health.Good(current);
        }

        Stream body = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
        try
        {
            await WatchReader.ReadAsync(
                body,
                line =>
                {
                    WatchEvent told = model.ReadEvent(current, line);
                    isSilent = false;
                    if (gathering is not null)
                    {
                        Gather(told);
                        if (gathering is null)
                        {
                            limit.CancelAfter(whole);
                        }

                        return;
                    }

                    if (!IsNews(told))
                    {
                        return;
                    }

                    model.Take(current, told);
                    if (told.ResourceVersion.Length > 0)
                    {
                        version = seen = told.ResourceVersion;
                    }
                },
                () =>
                {
                    if (gathering is not null)
                    {
                        limit.CancelAfter(ListIdle);
                        return;
                    }

                    retry.Reset();
                    model.Commit();
                    health.Good(current);
                },
                limit.Token).ConfigureAwait(false);
        }
        finally
        {
            // What came before the fault has been taken, and the watch goes on behind it.
            model.Commit();
        }

        if (gathering is not null)
        {
            // Something in between may not stand long answers: the next one comes in pages.
            canStream = false;
            throw new ApiException(0, "the list breaks off");
        }

        if (isSilent && time.GetElapsedTime(began) < ShortWatch)
        {
            throw new ApiException(0, "the watch ends as it begins");
        }

        retry.Reset();
    }

    /// <summary>An event before the list is complete; the bookmark that ends it hands it to the model.</summary>
    private void Gather(in WatchEvent told)
    {
        switch (told.Type)
        {
            case "DELETED":
                gathering!.Remove(told.Key);
                break;
            case "BOOKMARK" when told.EndsList:
                model.Replace(current, [.. gathering!.Values.SelectMany(static objects => objects)]);
                gathering = null;
                version = seen = told.ResourceVersion;
                newest = Number(version);
                break;
            case "ADDED" or "MODIFIED":
                gathering![told.Key] = told.Objects;
                break;
        }
    }

    /// <summary>False for a repetition.</summary>
    /// <exception cref="ApiException">The order is lost, and with it the knowledge of what is there.</exception>
    private bool IsNews(in WatchEvent told)
    {
        long number = Number(told.ResourceVersion);
        if (number == 0 || number > newest)
        {
            newest = Math.Max(newest, number);
            return true;
        }

        return told.Type == "BOOKMARK" || number == newest
            ? false
            : throw new ApiException(ApiException.Garbled, $"event {number} of the watch comes after {newest}");
    }

    // 0 for one that is no number: versions are opaque.
    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}
