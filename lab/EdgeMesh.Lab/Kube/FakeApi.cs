using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Lab;

/// <summary>
/// An API server for tests, with the shapes of real recorded answers (<c>shared/kube-api</c>; a test compares them) and faults on
/// demand. Two faces: a kube-apiserver (history, 410, bookmarks, paging) and KubeEdge's MetaServer (node's own database, no
/// history). Also fed over HTTP: <c>POST /control/apply</c> and <c>/control/delete</c> with an object.
/// </summary>
public sealed partial class FakeApi : IAsyncDisposable
{
    private static readonly Dictionary<string, (string Path, string ListKind, string Version)> Kinds = new(StringComparer.Ordinal)
    {
        ["Service"] = ("/api/v1/services", "ServiceList", "v1"),
        ["Endpoints"] = ("/api/v1/endpoints", "EndpointsList", "v1"),
        ["Node"] = ("/api/v1/nodes", "NodeList", "v1"),
        ["DestinationRule"] = ("/apis/networking.istio.io/v1/destinationrules", "DestinationRuleList", "networking.istio.io/v1"),
        ["EndpointSlice"] = ("/apis/discovery.k8s.io/v1/endpointslices", "EndpointSliceList", "discovery.k8s.io/v1"),
    };

    private readonly WebApplication app;
    private readonly Lock gate = new(); // guards the store
    private readonly Dictionary<(string Kind, string Key), JsonObject> objects = [];
    private readonly List<(long Version, string Type, string Kind, string Json)> history = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource connections = new();
    private long version = 100;
    private long floor = 100;

    private FakeApi(WebApplication app) => this.app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Looks at each request first; what it returns is answered instead. Null: nothing.</summary>
    public Func<HttpRequest, FakeFault?>? Fault { get; set; }

    /// <summary>What the bearer token must be; null: anything.</summary>
    public string? Token { get; set; }

    /// <summary>A MetaServer's face, and where its lists come from.</summary>
    public MetaServerMode? MetaServer { get; set; }

    /// <summary>Gives lists as the beginning of a watch (<c>sendInitialEvents</c>), as Kubernetes 1.34 does; else it refuses, as those before do.</summary>
    public bool StreamsLists { get; set; }

    /// <summary>Without <c>discovery.k8s.io</c>, as before Kubernetes 1.19.</summary>
    public bool HasNoSlices { get; set; }

    /// <summary>With Istio's <c>networking.istio.io</c>.</summary>
    public bool HasIstio { get; set; }

    /// <summary>MetaServer: deleted objects that watches replay as ADDED.</summary>
    public List<JsonObject> Ghosts { get; } = [];

    /// <summary>Requests so far, path and query.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<string> Requests { get; } = new();

    public static async Task<FakeApi> StartAsync(IPEndPoint? listen = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.Listen(listen ?? new IPEndPoint(IPAddress.Loopback, 0));
            kestrel.Limits.MaxRequestBodySize = null;
        });
        FakeApi api = new(builder.Build());
        api.app.Run(api.AnswerAsync);
        await api.app.StartAsync();
        api.Address = new Uri(api.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return api;
    }

    /// <summary>Creates or changes an object; gives it a uid and the next resourceVersion.</summary>
    public void Apply(JsonObject given)
    {
        lock (gate)
        {
            JsonObject item = (JsonObject)given.DeepClone();
            string kind = (string)item["kind"]!;
            string key = KeyOf(item);
            bool isNew = !objects.TryGetValue((kind, key), out JsonObject? old);
            item["metadata"]!["uid"] = old?["metadata"]!["uid"]!.DeepClone() ?? Guid.NewGuid().ToString();
            Record(isNew ? "ADDED" : "MODIFIED", kind, item);
            objects[(kind, key)] = item;
        }
    }

    public void Delete(string kind, string key)
    {
        lock (gate)
        {
            if (objects.Remove((kind, key), out JsonObject? item))
            {
                Record("DELETED", kind, item);
            }
        }
    }

    /// <summary>Forgets the history: older watches get 410.</summary>
    public void Compact()
    {
        lock (gate)
        {
            floor = version;
            history.Clear();
        }
    }

    /// <summary>Breaks all connections, watches in the middle of whatever they send.</summary>
    public void CutAll()
    {
        CancellationTokenSource old = Interlocked.Exchange(ref connections, new CancellationTokenSource());
        old.Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        CutAll();
        using CancellationTokenSource atOnce = new();
        await atOnce.CancelAsync();
        try
        {
            await app.StopAsync(atOnce.Token);
        }
        catch (OperationCanceledException)
        {
            // Without grace.
        }

        await app.DisposeAsync();
    }

    private static string KeyOf(JsonObject item) =>
        item["metadata"]!["namespace"] is { } space ? $"{(string)space!}/{(string)item["metadata"]!["name"]!}" : (string)item["metadata"]!["name"]!;

    private void Record(string type, string kind, JsonObject item)
    {
        version++;
        item["metadata"]!["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        history.Add((version, type, kind, item.ToJsonString()));
        Interlocked.Exchange(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        Requests.Enqueue(request.Path + request.QueryString);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, connections.Token);
        try
        {
            if (Fault?.Invoke(request) is { } fault)
            {
                await fault.AnswerAsync(context, stop.Token);
                return;
            }

            if (Token is not null && request.Headers.Authorization != $"Bearer {Token}")
            {
                await StatusAsync(context, 401, "Unauthorized", "Unauthorized");
                return;
            }

            await RouteAsync(context, stop.Token);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }

    private async Task RouteAsync(HttpContext context, CancellationToken stop)
    {
        HttpRequest request = context.Request;
        if (request.Path == "/version")
        {
            await context.Response.WriteAsync("""{"major":"1","minor":"26","gitVersion":"v1.26.0-fake"}""", stop);
        }
        else if (request.Path.StartsWithSegments("/control", StringComparison.Ordinal))
        {
            JsonNode body = (await JsonNode.ParseAsync(request.Body, cancellationToken: stop))!;
            foreach (JsonObject item in body is JsonArray many ? many.Select(each => each!.AsObject()) : [body.AsObject()])
            {
                if (request.Path == "/control/apply")
                {
                    Apply(item);
                }
                else
                {
                    Delete((string)item["kind"]!, KeyOf(item));
                }
            }
        }
        else if (await AnswerKubectlAsync(context, stop))
        {
            return;
        }
        else if (Kinds.FirstOrDefault(kind => kind.Value.Path == request.Path) is not { Key: { } kind } || (HasNoSlices && kind == "EndpointSlice") || (!HasIstio && kind == "DestinationRule"))
        {
            context.Response.StatusCode = 404;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("404 page not found\n", stop);
        }
        else if (request.Query["sendInitialEvents"] == "true" && !StreamsLists)
        {
            await StatusAsync(context, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch");
        }
        else if (request.Query["watch"] == "1")
        {
            await (MetaServer is null ? WatchAsync(context, kind, stop) : MetaWatchAsync(context, kind, stop));
        }
        else
        {
            await (MetaServer is null ? ListAsync(context, kind) : MetaListAsync(context, kind));
        }
    }

    private async Task ListAsync(HttpContext context, string kind)
    {
        int limit = int.TryParse(context.Request.Query["limit"], CultureInfo.InvariantCulture, out int given) ? given : int.MaxValue;
        (long At, string After) page = (0, "");
        if (context.Request.Query["continue"] is [{ Length: > 0 } token])
        {
            string[] parts = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split('|');
            page = (long.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]);
            if (page.At < floor)
            {
                await StatusAsync(context, 410, "Expired", "The provided continue parameter is too old");
                return;
            }
        }

        JsonObject list;
        lock (gate)
        {
            (string Key, JsonObject Item)[] rest = [.. objects.Where(pair => pair.Key.Kind == kind && string.CompareOrdinal(pair.Key.Key, page.After) > 0)
                .OrderBy(pair => pair.Key.Key, StringComparer.Ordinal).Select(pair => (pair.Key.Key, pair.Value))];
            JsonObject metadata = new() { ["resourceVersion"] = (page.At > 0 ? page.At : version).ToString(CultureInfo.InvariantCulture) };
            if (rest.Length > limit)
            {
                metadata["continue"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{(page.At > 0 ? page.At : version)}|{rest[limit - 1].Key}"));
                metadata["remainingItemCount"] = rest.Length - limit;
            }

            // As the real one: items of a typed list do not repeat kind and apiVersion.
            JsonArray items = [.. rest.Take(limit).Select(JsonNode? (each) => Without(each.Item))];
            list = new JsonObject { ["kind"] = Kinds[kind].ListKind, ["apiVersion"] = Kinds[kind].Version, ["metadata"] = metadata, ["items"] = items };
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(list.ToJsonString(), context.RequestAborted);
    }

    private async Task WatchAsync(HttpContext context, string kind, CancellationToken stop)
    {
        long from = long.TryParse(context.Request.Query["resourceVersion"], CultureInfo.InvariantCulture, out long given) ? given : version;
        int seconds = int.TryParse(context.Request.Query["timeoutSeconds"], CultureInfo.InvariantCulture, out int wanted) ? wanted : 3600;
        context.Response.ContentType = "application/json";
        if (context.Request.Query["sendInitialEvents"] == "true")
        {
            StringBuilder initial = new();
            lock (gate)
            {
                from = version;
                foreach (JsonObject item in objects.Where(pair => pair.Key.Kind == kind).Select(pair => pair.Value))
                {
                    initial.Append(CultureInfo.InvariantCulture, $$$"""{"type":"ADDED","object":{{{item.ToJsonString()}}}}""").Append('\n');
                }
            }

            initial.Append(CultureInfo.InvariantCulture, $$"""{"type":"BOOKMARK","object":{"kind":"{{kind}}","apiVersion":"{{Kinds[kind].Version}}","metadata":{"resourceVersion":"{{from}}","creationTimestamp":null,"annotations":{"k8s.io/initial-events-end":"true"} } } }""").Append('\n');
            await context.Response.WriteAsync(initial.ToString(), stop);
        }

        await context.Response.Body.FlushAsync(stop);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(TimeSpan.FromSeconds(seconds));
        while (!end.IsCancellationRequested)
        {
            Task next;
            StringBuilder text = new();
            lock (gate)
            {
                next = changed.Task;
                if (from < floor)
                {
                    text.Append(CultureInfo.InvariantCulture, $$$"""{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: {{{from}}} ({{{floor}}})","reason":"Expired","code":410}}""").Append('\n');
                    end.Cancel();
                }
                else
                {
                    foreach ((long at, string type, string of, string json) in history.Where(entry => entry.Version > from))
                    {
                        if (of == kind)
                        {
                            text.Append(CultureInfo.InvariantCulture, $$$"""{"type":"{{{type}}}","object":{{{json}}}}""").Append('\n');
                        }
                    }

                    from = version;
                }
            }

            if (text.Length > 0)
            {
                await context.Response.WriteAsync(text.ToString(), stop);
                await context.Response.Body.FlushAsync(stop);
            }

            await next.WaitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
        }
    }

    private async Task MetaListAsync(HttpContext context, string kind)
    {
        JsonObject list;
        lock (gate)
        {
            IEnumerable<JsonObject> kept = objects.Where(pair => pair.Key.Kind == kind).OrderBy(pair => pair.Key.Key, StringComparer.Ordinal).Select(pair => pair.Value);
            JsonArray items = MetaServer == MetaServerMode.Unknown ? [] : [.. kept.Concat(MetaServer == MetaServerMode.Local ? Ghosts.Where(ghost => (string)ghost["kind"]! == kind) : []).Select(item => item.DeepClone())];
            list = new JsonObject { ["apiVersion"] = Kinds[kind].Version, ["items"] = items, ["kind"] = Kinds[kind].ListKind };
            if (MetaServer != MetaServerMode.Unknown)
            {
                JsonObject metadata = new() { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) };
                if (MetaServer == MetaServerMode.Local)
                {
                    metadata["selfLink"] = "/core/v1/services/null/null";
                }

                list["metadata"] = metadata;
            }
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(list.ToJsonString(), context.RequestAborted);
    }

    // Replays the node's own database, ghosts included, without an end mark; ignores resourceVersion.
    private async Task MetaWatchAsync(HttpContext context, string kind, CancellationToken stop)
    {
        int seconds = int.Parse(context.Request.Query["timeoutSeconds"]!, CultureInfo.InvariantCulture);
        context.Response.ContentType = "application/json";
        StringBuilder text = new();
        long from;
        lock (gate)
        {
            from = version;
            foreach (JsonObject item in objects.Where(pair => pair.Key.Kind == kind).Select(pair => pair.Value).Concat(Ghosts.Where(ghost => (string)ghost["kind"]! == kind)))
            {
                text.Append(CultureInfo.InvariantCulture, $$$"""{"type":"ADDED","object":{{{item.ToJsonString()}}}}""").Append('\n');
            }
        }

        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(TimeSpan.FromSeconds(seconds));
        while (!end.IsCancellationRequested)
        {
            await context.Response.WriteAsync(text.ToString(), stop);
            await context.Response.Body.FlushAsync(stop);
            text.Clear();
            Task next;
            lock (gate)
            {
                next = changed.Task;
            }

            await next.WaitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
            lock (gate)
            {
                // Deaf while the cloud is away: what happens then is never told.
                foreach ((long at, string type, string of, string json) in history.Where(entry => entry.Version > from && entry.Kind == kind && MetaServer == MetaServerMode.Cloud))
                {
                    text.Append(CultureInfo.InvariantCulture, $$$"""{"type":"{{{type}}}","object":{{{json}}}}""").Append('\n');
                }

                from = version;
            }
        }
    }

    private static JsonObject Without(JsonObject item)
    {
        JsonObject bare = (JsonObject)item.DeepClone();
        bare.Remove("kind");
        bare.Remove("apiVersion");
        return bare;
    }

    private static async Task StatusAsync(HttpContext context, int code, string reason, string message)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            kind = "Status",
            apiVersion = "v1",
            metadata = new { },
            status = "Failure",
            message,
            reason,
            code,
        }));
    }
}
