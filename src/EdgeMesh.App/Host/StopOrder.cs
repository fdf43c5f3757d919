using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Host;

/// <summary>
/// What has been started, to be stopped in the opposite order. Each part has its own bounded time: one that hangs must not
/// keep the others from cleaning up. The first failure is kept in the log, the rest still stops.
/// </summary>
internal sealed class StopOrder(ILogger log) : IAsyncDisposable
{
    private readonly Stack<(string Name, IAsyncDisposable Part, TimeSpan Limit)> parts = new();

    public T Add<T>(string name, T part, TimeSpan limit)
        where T : IAsyncDisposable
    {
        parts.Push((name, part, limit));
        return part;
    }

    public async ValueTask DisposeAsync()
    {
        while (parts.TryPop(out (string Name, IAsyncDisposable Part, TimeSpan Limit) next))
        {
            try
            {
                await next.Part.DisposeAsync().AsTask().WaitAsync(next.Limit).ConfigureAwait(false);
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
