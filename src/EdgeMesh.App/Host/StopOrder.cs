using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Host;

/// <summary>
/// What has been started, to be stopped in the opposite order. Each part has its own bounded time: one that hangs must not
/// keep the others from cleaning up. The first failure is kept in the log, the rest still stops.
/// </summary>
internal sealed class StopOrder(ILogger log) : IAsyncDisposable
{
    private readonly Stack<(string Name, Func<ValueTask> Stop, TimeSpan Limit)> parts = new();

    public T Add<T>(string name, T part, TimeSpan limit)
        where T : IAsyncDisposable
    {
        parts.Push((name, part.DisposeAsync, limit));
        return part;
    }

    /// <summary>For a part whose end takes no time.</summary>
    public void Add(string name, IDisposable part) => parts.Push((name, () =>
    {
        part.Dispose();
        return default;
    }, Timeout.InfiniteTimeSpan));

    public async ValueTask DisposeAsync()
    {
        while (parts.TryPop(out (string Name, Func<ValueTask> Stop, TimeSpan Limit) next))
        {
            try
            {
                await next.Stop().AsTask().WaitAsync(next.Limit).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                AppLog.StopTookTooLong(log, next.Name, (int)next.Limit.TotalSeconds);
            }
            catch (Exception e)
            {
                AppLog.StopFailed(log, next.Name, e);
            }
        }
    }
}
