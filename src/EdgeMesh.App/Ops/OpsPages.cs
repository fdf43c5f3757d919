using EdgeMesh.App.Metrics;

namespace EdgeMesh.App.Ops;

/// <summary>/metrics, /healthz and /readyz, the same for agent and server.</summary>
/// <param name="metrics">Where the numbers come from.</param>
/// <param name="whyNotReady">Null when ready, else the reason.</param>
internal sealed class OpsPages(MetricsCollector metrics, Func<string?> whyNotReady)
{
    public HttpAnswer? Get(string path) => path switch
    {
        "/metrics" => new HttpAnswer(200, MetricsText.ContentType, metrics.Scrape()),
        // Answering at all is what liveness means: the process runs and its scheduler too.
        "/healthz" => HttpAnswer.Ok("ok\n"),
        "/readyz" => whyNotReady() is { } reason ? HttpAnswer.Error(503, reason + "\n") : HttpAnswer.Ok("ok\n"),
        _ => null,
    };
}
