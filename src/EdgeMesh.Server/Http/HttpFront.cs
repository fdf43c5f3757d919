using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

using EdgeMesh.Model;
using EdgeMesh.Server.Join;
using EdgeMesh.Server.Sessions;
using EdgeMesh.Server.State;
using EdgeMesh.Tunnel.Wire;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Http;

/// <summary>The requests of docs/protocol.md. A token, a key or a body never gets into a log line.</summary>
internal sealed class HttpFront(
    Registry registry, SessionHub hub, RegistryReplica? replica, string self, EnrolLimiter limiter, TimeProvider time, ILogger log) : IDisposable
{
    private const int MaxHosts = 16;

    // Enrolments write files one after the other anyway: they queue here and not on blocked pool threads.
    private readonly SemaphoreSlim writing = new(1, 1);

    /// <summary>How long an answer about the registry is held back while nothing has changed, and how often that is looked at.</summary>
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan HoldStep = TimeSpan.FromMilliseconds(250);

    public async Task HandleAsync(HttpContext context)
    {
        string request = $"{context.Request.Method} {context.Request.Path}";
        ApiError? error;
        try
        {
            error = request switch
            {
                "POST /v1/enroll" => await EnrollAsync(context).ConfigureAwait(false),
                "POST /v1/renew" => await RenewAsync(context).ConfigureAwait(false),
                "GET /v1/connect" => await ConnectAsync(context).ConfigureAwait(false),
                "POST /v1/join" => await JoinAsync(context, isRenewal: false).ConfigureAwait(false),
                "POST /v1/join/renew" => await JoinAsync(context, isRenewal: true).ConfigureAwait(false),
                "POST /v1/registry" => await TellRegistryAsync(context).ConfigureAwait(false),
                _ => ApiError.NotFound,
            };
        }
        catch (BadHttpRequestException fault)
        {
            error = ApiError.BadRequest(fault.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? "the body is larger than 16 KiB"
                : "the body could not be read");
        }
        catch (MeshException fault)
        {
            ServerLog.Failed(log, request, fault.Message);
            error = ApiError.Failed("the server's registry cannot be used; the server's log says why");
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            // The client went away.
            return;
        }

        if (error is not null)
        {
            string shown = error == ApiError.NotFound ? "request" : request;
            ServerLog.Refused(log, shown, context.Connection.RemoteIpAddress, error.Code, error.Message);
            ServerMetrics.Refused(error.Code);
            if (!context.Response.HasStarted)
            {
                await WriteAsync(context, error.Status, new ErrorAnswer(error.Code, error.Message), WireJson.Default.ErrorAnswer).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => writing.Dispose();

    private async Task<ApiError?> EnrollAsync(HttpContext context)
    {
        if (!limiter.TryTake(context.Connection.RemoteIpAddress ?? IPAddress.None))
        {
            return ApiError.SlowDown;
        }

        EnrollRequest? body = await ReadAsync(context, WireJson.Default.EnrollRequest).ConfigureAwait(false);
        if (body is null)
        {
            return ApiError.BadRequest("the body must be {\"node\",\"token\",\"csr\"}");
        }

        if (!NodeName.TryParse(body.Node, out NodeName node) || node.Value == CertificateAuthority.ServerName)
        {
            return ApiError.BadRequest("'node' must be a Kubernetes node name: lower-case letters, digits, '-' and '.', and not edgemesh-server");
        }

        if (!JoinToken.TryParse(body.Token, out JoinToken? token))
        {
            return ApiError.TokenUnknown;
        }

        if (!CertificateAuthority.TryReadRequest(body.Csr, out PublicKey? key))
        {
            return ApiError.BadRequest("'csr' must be a PEM certificate request, signed by its own P-256 key");
        }

        Enrolment done = await WriteRegistryAsync(() => registry.Enroll(token, node, key), context.RequestAborted).ConfigureAwait(false);
        if (done.Error is null)
        {
            ServerLog.Enrolled(log, node, context.Connection.RemoteIpAddress);
            ServerMetrics.Enrolled();
        }

        return await AnswerAsync(context, done).ConfigureAwait(false);
    }

    private async Task<ApiError?> RenewAsync(HttpContext context)
    {
        if (context.Connection.ClientCertificate is not { } certificate)
        {
            return ApiError.CertificateRequired;
        }

        RenewRequest? body = await ReadAsync(context, WireJson.Default.RenewRequest).ConfigureAwait(false);
        if (body is null)
        {
            return ApiError.BadRequest("the body must be {\"csr\"}");
        }

        if (!CertificateAuthority.TryReadRequest(body.Csr, out PublicKey? key))
        {
            return ApiError.BadRequest("'csr' must be a PEM certificate request, signed by its own P-256 key");
        }

        Enrolment done = await WriteRegistryAsync(() => registry.Renew(certificate, key), context.RequestAborted).ConfigureAwait(false);
        if (done.Error is null && CertificateAuthority.TryReadNode(certificate, out NodeName node))
        {
            ServerLog.Renewed(log, node);
            ServerMetrics.Renewed();
        }

        return await AnswerAsync(context, done).ConfigureAwait(false);
    }

    private async Task<ApiError?> ConnectAsync(HttpContext context)
    {
        if (context.Connection.ClientCertificate is not { } certificate)
        {
            return ApiError.CertificateRequired;
        }

        ApiError? refusal = registry.Check(certificate, out NodeName node);
        if (refusal is not null && replica is not null)
        {
            await replica.RefreshAsync(context.RequestAborted).ConfigureAwait(false);
            refusal = registry.Check(certificate, out node);
        }

        if (refusal is not null)
        {
            return refusal;
        }

        if (!context.WebSockets.IsWebSocketRequest || !context.WebSockets.WebSocketRequestedProtocols.Contains(SignalMessage.Subprotocol))
        {
            return ApiError.BadRequest($"this is a WebSocket of subprotocol {SignalMessage.Subprotocol}");
        }

        if (!hub.HasRoomFor(node))
        {
            return ApiError.Full;
        }

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(SignalMessage.Subprotocol).ConfigureAwait(false);
        await hub.RunAsync(socket, node, Registry.SerialOf(certificate), context.Connection.RemoteIpAddress).ConfigureAwait(false);
        return null;
    }

    private async Task<ApiError?> JoinAsync(HttpContext context, bool isRenewal)
    {
        if (!isRenewal && !limiter.TryTake(context.Connection.RemoteIpAddress ?? IPAddress.None))
        {
            return ApiError.SlowDown;
        }

        JoinRequest? body = await ReadAsync(context, JoinJson.Default.JoinRequest).ConfigureAwait(false);
        if (body is null || body.Hosts.Count is 0 or > MaxHosts || body.Hosts.Any(host => Uri.CheckHostName(host) == UriHostNameType.Unknown))
        {
            return ApiError.BadRequest("the body must be {\"token\",\"csr\",\"hosts\"}, the hosts names or addresses");
        }

        if (!CertificateAuthority.TryReadRequest(body.Csr, out PublicKey? key))
        {
            return ApiError.BadRequest("'csr' must be a PEM certificate request, signed by its own P-256 key");
        }

        Enrolment done;
        if (isRenewal)
        {
            if (context.Connection.ClientCertificate is not { } certificate)
            {
                return ApiError.CertificateRequired;
            }

            done = await WriteRegistryAsync(() => registry.RenewServer(certificate, key, body.Hosts), context.RequestAborted).ConfigureAwait(false);
        }
        else
        {
            if (!JoinToken.TryParse(body.Token ?? "", out JoinToken? token))
            {
                return ApiError.TokenUnknown;
            }

            done = await WriteRegistryAsync(() => registry.JoinServer(token, key, body.Hosts), context.RequestAborted).ConfigureAwait(false);
            if (done.Error is null)
            {
                ServerLog.ServerJoined(log, ServerRecord.IdOf(CertificateAuthority.KeyName(key)), context.Connection.RemoteIpAddress);
            }
        }

        return await AnswerAsync(context, done).ConfigureAwait(false);
    }

    private async Task<ApiError?> TellRegistryAsync(HttpContext context)
    {
        if (context.Connection.ClientCertificate is not { } certificate)
        {
            return ApiError.CertificateRequired;
        }

        if (registry.CheckServer(certificate, out string id) is { } refusal)
        {
            return refusal;
        }

        RegistryRequest? body = await ReadAsync(context, JoinJson.Default.RegistryRequest).ConfigureAwait(false);
        if (body is null || body.Addresses.Count > MaxHosts)
        {
            return ApiError.BadRequest("the body must be {\"since\",\"wait\",\"addresses\"}");
        }

        registry.KeepAddresses(id, body.Addresses);
        long began = time.GetTimestamp();
        while (body.Wait && registry.ChangedAt <= body.Since && time.GetElapsedTime(began) < Hold)
        {
            await Task.Delay(HoldStep, time, context.RequestAborted).ConfigureAwait(false);
        }

        // Revoked while it waited?
        if (registry.CheckServer(certificate, out _) is { } late)
        {
            return late;
        }

        RegistryAnswer news = registry.Changes(body.Since, self);
        await WriteAsync(context, StatusCodes.Status200OK, news, JoinJson.Default.RegistryAnswer).ConfigureAwait(false);
        return null;
    }

    private async Task<Enrolment> WriteRegistryAsync(Func<Enrolment> write, CancellationToken stop)
    {
        await writing.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return write();
        }
        finally
        {
            writing.Release();
        }
    }

    private async Task<ApiError?> AnswerAsync(HttpContext context, Enrolment done)
    {
        if (done.Certificate is null)
        {
            return done.Error;
        }

        CertificateAnswer answer = new(done.Certificate, registry.Authority.Pem);
        await WriteAsync(context, StatusCodes.Status200OK, answer, WireJson.Default.CertificateAnswer).ConfigureAwait(false);
        return null;
    }

    private static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task WriteAsync<T>(HttpContext context, int status, T answer, JsonTypeInfo<T> type)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(answer, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
