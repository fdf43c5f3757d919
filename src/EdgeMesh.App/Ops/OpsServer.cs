using System.Net;
using EdgeMesh.App.Metrics;
using EdgeMesh.App.Settings;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Ops;

/// <summary>Metrics and health of an agent or a server on a port of their own.</summary>
internal sealed class OpsServer : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly MetricsCollector metrics;
    private readonly SmallListener listener;

    private OpsServer(MetricsCollector metrics, SmallListener listener)
    {
        this.metrics = metrics;
        this.listener = listener;
    }

    /// <param name="endPoint">Null: switched off; nothing is measured then.</param>
    /// <param name="whyNotReady">Null when ready.</param>
    /// <param name="log">The App's log.</param>
    public static OpsServer? Start(IPEndPoint? endPoint, Func<string?> whyNotReady, ILogger log)
    {
        if (endPoint is null)
        {
            return null;
        }

        MetricsCollector metrics = new();
        OpsPages pages = new(metrics, whyNotReady);
        SmallListener listener = SmallListener.Tcp(
            endPoint, CommonSettings.MetricsListen.Flag, Limit, new HttpPages(pages.Get).ServeAsync, log);
        metrics.Start();
        AppMetrics.Touch();
        listener.Start();
        return new OpsServer(metrics, listener);
    }

    public async ValueTask DisposeAsync()
    {
        await listener.DisposeAsync().ConfigureAwait(false);
        metrics.Dispose();
    }
}
