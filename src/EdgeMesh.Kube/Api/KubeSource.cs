using System.Collections.Immutable;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Kube;

/// <summary>
/// The model from a Kubernetes API: a kube-apiserver or KubeEdge's MetaServer. While none is in reach it serves what it knew last, after a
/// restart from disk.
/// </summary>
/// <remarks>It is the only publisher of its cell while it runs.</remarks>
public sealed class KubeSource : IAsyncDisposable
{
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SavePause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookPause = TimeSpan.FromSeconds(5);

    /// <summary>With several APIs in question: the one in use is given up when it has said nothing for this long.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);

    private readonly IReadOnlyList<ApiEndpoint> endpoints;
    private readonly ApiModel model;
    private readonly SnapshotCell cell;
    private readonly SnapshotStore store;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> tasks = [];
    private volatile ApiHealth? health;
    private volatile string from = "";
    private volatile ApiEndpoint? current;
    private volatile string noneAnswers = "";
    private bool wasSynced;

    /// <param name="cell">Where the model is published.</param>
    /// <param name="options">Where to look.</param>
    /// <param name="stateDirectory">Keeps the last good state.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">For the log of this source.</param>
    /// <exception cref="MeshException">The options name no API.</exception>
    public KubeSource(SnapshotCell cell, KubeOptions options, string stateDirectory, TimeProvider time, ILoggerFactory logs)
        : this(cell, options, ApiChoice.Of(options, Environment.GetEnvironmentVariable), stateDirectory, time, logs)
    {
    }

    internal KubeSource(
        SnapshotCell cell, KubeOptions options, IReadOnlyList<ApiEndpoint> endpoints, string stateDirectory, TimeProvider time, ILoggerFactory logs)
    {
        this.cell = cell;
        this.endpoints = endpoints;
        this.time = time;
        log = logs.CreateLogger("EdgeMesh.Kube.Api");
        model = new ApiModel(cell, time);
        store = new SnapshotStore(stateDirectory, time, logs);
    }

    public SourceStatus Status
    {
        get
        {
            (int services, int slices, int nodes) = model.Count();
            ImmutableArray<SourceProblem> problems = health?.Problems ?? [];
            string name = current?.Name ?? "Kubernetes";
            return new SourceStatus(
                name + (from.Length > 0 && !model.IsListed ? $", serving {from}" : ""),
                cell.Current.IsSynced,
                [
                    .. noneAnswers is { Length: > 0 } none ? [new SourceProblem(name, 0, none)] : problems,
                    .. model.Faults.Select(reason => new SourceProblem(name, 0, reason)),
                ],
                model.LastChange, 0, services, slices, nodes);
        }
    }

    /// <summary>Serves from disk what was known last, finds the API and begins to follow it; waits for neither lists nor watches.</summary>
    /// <exception cref="MeshException">No API answers and nothing is known from before.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        bool hasState = model.Restore(store, out DateTimeOffset savedAt);
        KubeMetrics.ShowFromDisk(hasState);
        from = hasState ? $"the state of {savedAt:u} from {store.Path}" : "";
        List<string> tried = [];
        ApiEndpoint? first = endpoints.Count == 1 ? endpoints[0] : await ProbeAsync(tried, stop).ConfigureAwait(false);
        if (first is null && !hasState)
        {
            throw new MeshException(MeshExit.Unreachable, $"no Kubernetes API answers: {string.Join("; ", tried)}: name one with --kubeconfig, --kube-api or --manifests");
        }

        if (first is null)
        {
            noneAnswers = $"no Kubernetes API answers: {string.Join("; ", tried)}";
            KubeLog.ServingFromDisk(log, savedAt, string.Join("; ", tried));
        }

        tasks.Add(Task.Run(() => RunAsync(first, stopping.Token), CancellationToken.None));
        tasks.Add(Task.Run(() => store.KeepAsync(cell, SavePause, stopping.Token), CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    private async Task RunAsync(ApiEndpoint? first, CancellationToken stop)
    {
        ApiEndpoint? next = first;
        try
        {
            while (true)
            {
                if (next is not null)
                {
                    noneAnswers = "";
                    await FollowAsync(next, stop).ConfigureAwait(false);
                }
                else
                {
                    await Task.Delay(LookPause, time, stop).ConfigureAwait(false);
                }

                List<string> tried = [];
                next = await ProbeAsync(tried, stop).ConfigureAwait(false);
                noneAnswers = next is null ? $"no Kubernetes API answers: {string.Join("; ", tried)}" : "";
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Follows one API until stopped or, where there are others, until it has been silent for long.</summary>
    private async Task FollowAsync(ApiEndpoint endpoint, CancellationToken stop)
    {
        KubeLog.ApiChosen(log, endpoint.Name);
        current = endpoint;
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using ApiClient api = new(endpoint);
        ApiHealth follows = new(endpoint, log, OnChange, time);
        health = follows;
        List<Task> running = [];
        using MetaServerSync? meta = endpoint.IsMetaServer
            ? new MetaServerSync(api, [ApiResource.Services, ApiResource.Slices, ApiResource.Nodes], model, follows, new Random(), time, log)
            : null;
        if (meta is not null)
        {
            running.Add(Task.Run(() => meta.RunAsync(ending.Token), CancellationToken.None));
        }
        else
        {
            foreach (ApiResource resource in (ApiResource[])[ApiResource.Services, ApiResource.Slices, ApiResource.Nodes, ApiResource.Rules])
            {
                Reflector reflector = new(
                    api, resource, model, follows, new Random(), time, log, resource == ApiResource.Slices ? ApiResource.Endpoints : null);
                running.Add(Task.Run(() => reflector.RunAsync(ending.Token), CancellationToken.None));
            }
        }

        while (!stop.IsCancellationRequested && (endpoints.Count == 1 || follows.SilentFor < GiveUpAfter || follows.Problems.IsEmpty))
        {
            // Counting costs in proportion to the cluster: not for every event.
            KubeMetrics.Show(Status);
            await Task.Delay(LookPause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void OnChange()
    {
        if (!wasSynced && model.IsListed)
        {
            wasSynced = true;
            (int services, int slices, int nodes) = model.Count();
            KubeMetrics.ShowFromDisk(false);
            KubeLog.ApiSynced(log, current?.Name ?? "", services, slices, nodes);
            KubeMetrics.Show(Status);
        }
    }

    /// <summary>The first, in their order, that answers.</summary>
    private async Task<ApiEndpoint?> ProbeAsync(List<string> tried, CancellationToken stop)
    {
        foreach (ApiEndpoint endpoint in endpoints)
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(ProbePatience);
            try
            {
                using ApiClient api = new(endpoint);
                using HttpResponseMessage answer = await api.GetAsync("/version", limit.Token).ConfigureAwait(false);
                return endpoint;
            }
            catch (ApiException fault) when (fault.Status is 401 or 403)
            {
                tried.Add($"{endpoint.Name} ({fault.Message})");
            }
            catch (Exception fault) when (fault is ApiException or HttpRequestException or IOException)
            {
                tried.Add($"{endpoint.Name} ({fault.Message})");
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                tried.Add($"{endpoint.Name} (no answer within {ProbePatience.TotalSeconds} s)");
            }
        }

        return null;
    }
}
