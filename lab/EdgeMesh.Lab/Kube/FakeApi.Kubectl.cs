using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace EdgeMesh.Lab;

/// <summary>What <c>kubectl</c> needs beyond lists and watches: discovery, single objects, namespaces, writes.</summary>
public sealed partial class FakeApi
{
    private static readonly Dictionary<string, string> Discovery = new(StringComparer.Ordinal)
    {
        ["/api"] = """{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}""",
        ["/apis"] = """
            {"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"discovery.k8s.io","versions":[{"groupVersion":"discovery.k8s.io/v1","version":"v1"}],
             "preferredVersion":{"groupVersion":"discovery.k8s.io/v1","version":"v1"}}]}
            """,
        ["/api/v1"] = """
            {"kind":"APIResourceList","groupVersion":"v1","resources":[
             {"name":"services","singularName":"service","namespaced":true,"kind":"Service","shortNames":["svc"],"verbs":["create","delete","get","list","patch","watch"]},
             {"name":"endpoints","singularName":"endpoints","namespaced":true,"kind":"Endpoints","shortNames":["ep"],"verbs":["create","delete","get","list","patch","watch"]},
             {"name":"nodes","singularName":"node","namespaced":false,"kind":"Node","shortNames":["no"],"verbs":["create","delete","get","list","patch","watch"]}]}
            """,
        ["/apis/discovery.k8s.io/v1"] = """
            {"kind":"APIResourceList","apiVersion":"v1","groupVersion":"discovery.k8s.io/v1","resources":[
             {"name":"endpointslices","singularName":"endpointslice","namespaced":true,"kind":"EndpointSlice","verbs":["create","delete","get","list","patch","watch"]}]}
            """,
    };

    /// <returns>False if the request is none of kubectl's own.</returns>
    private async Task<bool> AnswerKubectlAsync(HttpContext context, CancellationToken stop)
    {
        HttpRequest request = context.Request;
        string path = request.Path.Value ?? "";
        if (Discovery.TryGetValue(path, out string? document))
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(document, stop);
            return true;
        }

        if (!TryLocate(path, out string kind, out string key) || (HttpMethods.IsGet(request.Method) && key.Length == 0 && Kinds[kind].Path == path && request.Query["watch"] != "true"))
        {
            return false;
        }

        if (HttpMethods.IsGet(request.Method) && (key.EndsWith('/') || key.Length == 0))
        {
            // Of one namespace: the tests have only one.
            await (request.Query["watch"] == "true" ? WatchAsync(context, kind, stop) : ListAsync(context, kind));
            return true;
        }

        JsonObject? old;
        lock (gate)
        {
            old = objects.GetValueOrDefault((kind, key));
        }

        switch (request.Method)
        {
            case "POST":
                JsonObject made = (await JsonNode.ParseAsync(request.Body, cancellationToken: stop))!.AsObject();
                made["metadata"]!["creationTimestamp"] = "2026-11-22T11:37:59Z";
                await WriteAsync(context, 201, kind, made, stop);
                return true;
            case "PATCH" or "PUT" when old is not null:
                JsonObject given = (await JsonNode.ParseAsync(request.Body, cancellationToken: stop))!.AsObject();
                await WriteAsync(context, 200, kind, request.Method == "PUT" ? given : Merge((JsonObject)old.DeepClone(), given), stop);
                return true;
            case "DELETE" when old is not null:
                Delete(kind, key);
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync("""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}""", stop);
                return true;
            case "GET" when old is not null:
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(old.ToJsonString(), stop);
                return true;
            default:
                await StatusAsync(context, 404, "NotFound", $"{kind} \"{key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..]}\" not found");
                return true;
        }
    }

    // /api/v1/services, /api/v1/namespaces/NS/services, /api/v1/namespaces/NS/services/NAME, /api/v1/nodes/NAME: the key is NS/NAME, NS/ or NAME.
    private static bool TryLocate(string path, out string kind, out string key)
    {
        foreach ((string known, (string all, _, _)) in Kinds)
        {
            int cut = all.LastIndexOf('/');
            (string root, string resource) = (all[..cut], all[(cut + 1)..]);
            if (!path.StartsWith(root + "/", StringComparison.Ordinal))
            {
                continue;
            }

            string[] parts = path[(root.Length + 1)..].Split('/');
            (string Space, string[] Names) found = parts is ["namespaces", var space, .. var inner] ? (space + "/", inner) : ("", parts);
            if (found.Names is [var given, .. var name] && given == resource && name.Length <= 1)
            {
                (kind, key) = (known, found.Space + string.Concat(name));
                return true;
            }
        }

        (kind, key) = ("", "");
        return false;
    }

    private async Task WriteAsync(HttpContext context, int status, string kind, JsonObject item, CancellationToken stop)
    {
        item["kind"] = kind;
        item["apiVersion"] = Kinds[kind].Version;
        Apply(item);
        string text;
        lock (gate)
        {
            text = objects[(kind, KeyOf(item))].ToJsonString();
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(text, stop);
    }

    // RFC 7386; the lists of a strategic merge are taken whole, without what they delete.
    private static JsonObject Merge(JsonObject into, JsonObject patch)
    {
        foreach ((string name, JsonNode? value) in patch.ToList())
        {
            if (name.StartsWith('$'))
            {
                continue;
            }

            if (value is null)
            {
                into.Remove(name);
            }
            else if (value is JsonObject inner && into[name] is JsonObject old)
            {
                Merge(old, inner);
            }
            else
            {
                into[name] = value is JsonArray items
                    ? new JsonArray([.. items.Where(item => item is not JsonObject { } each || (string?)each["$patch"] != "delete").Select(item => item?.DeepClone())])
                    : value.DeepClone();
            }
        }

        return into;
    }
}
