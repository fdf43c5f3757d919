
namespace EdgeMesh.Dns;

/// <summary>
/// Asks upstream, each question once however many wait for it, and keeps the answer. When the upstreams are late or gone, what
/// was known before is served (RFC 8767) and the question goes on in the background.
/// </summary>
internal sealed class Resolver(
    UpstreamRoutes routes, AnswerCache cache, TimeSpan staleAfter, int maxFlights, DnsClock clock, TimeProvider time) : IAsyncDisposable
{
    // Guards flights.
    private readonly Lock gate = new();
    private readonly Dictionary<byte[], Task<CachedAnswer?>> flights = new(QuestionKeyComparer.Instance);
    private readonly CancellationTokenSource stopping = new();

    public async ValueTask<Fetched> AskAsync(byte[] key)
    {
        long now = clock.Now;
        if (cache.TryGetFresh(key, now, out CachedAnswer? fresh))
        {
            return new Fetched(fresh, AnswerSource.Cache);
        }

        bool hasStale = cache.TryGetStale(key, now, out CachedAnswer? stale);
        UpstreamSet upstreams = routes.For(key);
        bool wereSilent = upstreams.AreSilent;
        Task<CachedAnswer?>? flight = Join(key);
        if (flight is null)
        {
            DnsMetrics.Shed.Add(1, new KeyValuePair<string, object?>("limit", "questions"));
            return hasStale ? new Fetched(stale!, AnswerSource.Stale) : new Fetched(CachedAnswer.Failed, AnswerSource.Upstream);
        }

        if (hasStale)
        {
            if (!wereSilent && !flight.IsCompleted)
            {
                using CancellationTokenSource early = new();
                Task late = Task.Delay(staleAfter, time, early.Token);
                await Task.WhenAny(flight, late).ConfigureAwait(false);
                await early.CancelAsync().ConfigureAwait(false);
                if (!flight.IsCompleted)
                {
                    upstreams.Doubt();
                }
            }

            if (!flight.IsCompleted || await flight.ConfigureAwait(false) is not { IsUsable: true })
            {
                return new Fetched(stale!, AnswerSource.Stale);
            }
        }

        return new Fetched(await flight.ConfigureAwait(false) ?? CachedAnswer.Failed, AnswerSource.Upstream);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        Task<CachedAnswer?>[] running;
        lock (gate)
        {
            running = [.. flights.Values];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        stopping.Dispose();
    }

    private Task<CachedAnswer?>? Join(byte[] key)
    {
        TaskCompletionSource start = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<CachedAnswer?> flight;
        lock (gate)
        {
            if (flights.TryGetValue(key, out Task<CachedAnswer?>? running))
            {
                return running;
            }

            if (flights.Count >= maxFlights || stopping.IsCancellationRequested)
            {
                return null;
            }

            flight = FetchAsync(key, start.Task);
            flights.Add(key, flight);
        }

        start.SetResult();
        return flight;
    }

    private async Task<CachedAnswer?> FetchAsync(byte[] key, Task registered)
    {
        await registered.ConfigureAwait(false);
        try
        {
            CachedAnswer? answer = await routes.For(key).AskAsync(key, stopping.Token).ConfigureAwait(false);
            if (answer is not null)
            {
                cache.Put(key, answer);
            }

            return answer;
        }
        finally
        {
            lock (gate)
            {
                flights.Remove(key);
            }
        }
    }
}
