using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>Which kinds cannot be read now and why: for status, and one log line for each change.</summary>
internal sealed class ApiHealth(ApiEndpoint endpoint, ILogger log, Action onChange, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, string> faults = new(StringComparer.Ordinal);
    private long lastGood = time.GetTimestamp();

    /// <summary>Since anything was last answered.</summary>
    public TimeSpan SilentFor => time.GetElapsedTime(Interlocked.Read(ref lastGood));

    public ImmutableArray<SourceProblem> Problems =>
        [.. faults.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new SourceProblem(endpoint.Name + " " + pair.Key, 0, pair.Value))];

    public void Good(ApiResource resource)
    {
        Interlocked.Exchange(ref lastGood, time.GetTimestamp());
        if (faults.TryRemove(resource.Path, out _))
        {
            KubeLog.ApiAnswers(log, endpoint.Name, resource.Path);
        }

        onChange();
    }

    public void Bad(ApiResource resource, Exception fault)
    {
        string reason = Explain(resource, fault);
        if (!faults.TryGetValue(resource.Path, out string? known) || known != reason)
        {
            KubeLog.ApiFails(log, endpoint.Name, resource.Path, reason);
        }

        faults[resource.Path] = reason;
        onChange();
    }

    private static string Explain(ApiResource resource, Exception fault)
    {
        Exception inner = fault;
        while (inner.InnerException is { } deeper)
        {
            inner = deeper;
        }

        return fault is ApiException { Status: 403 }
            ? $"{fault.Message}: allow the agent's account to get, list and watch {resource.Path[(resource.Path.LastIndexOf('/') + 1)..]}"
            : fault is ApiException { Status: 401 } ? $"{fault.Message}: the credentials are refused" : inner.Message;
    }
}
