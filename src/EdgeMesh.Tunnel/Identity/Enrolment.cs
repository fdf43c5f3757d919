using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>The two requests for a certificate: tries every address of every server until one answers.</summary>
internal sealed class Enrolment(IReadOnlyList<ServerAddress> servers, int? mark, MeshClock clock)
{
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(10);

    /// <summary>POST /v1/enroll.</summary>
    /// <returns>The answer, and the address that gave it.</returns>
    /// <exception cref="MeshException">Refused, or nobody was reached.</exception>
    public Task<(CertificateAnswer Answer, string Server)> EnrollAsync(NodeName node, JoinToken token, string csr, CancellationToken stop) =>
        PostAsync(
            "/v1/enroll",
            JsonSerializer.Serialize(new EnrollRequest(node.Value, token.Reveal(), csr), WireJson.Default.EnrollRequest),
            new TrustAnchor(token.Fingerprint.ToArray(), clock),
            null,
            (error, server) => Explain(error, server, node, token),
            stop);

    /// <summary>POST /v1/renew.</summary>
    /// <returns>The answer, and the address that gave it.</returns>
    /// <exception cref="MeshException">Refused, or nobody was reached.</exception>
    public Task<(CertificateAnswer Answer, string Server)> RenewAsync(
        string csr, TrustAnchor trust, SslStreamCertificateContext client, CancellationToken stop) =>
        PostAsync(
            "/v1/renew",
            JsonSerializer.Serialize(new RenewRequest(csr), WireJson.Default.RenewRequest),
            trust,
            client,
            (error, server) => new MeshException(MeshExit.Refused, $"server {server} refused to renew the certificate: {error.Message}"),
            stop);

    private async Task<(CertificateAnswer Answer, string Server)> PostAsync(
        string path,
        string body,
        TrustAnchor trust,
        SslStreamCertificateContext? client,
        Func<ErrorAnswer, string, MeshException> explain,
        CancellationToken stop)
    {
        List<string> tried = [];
        bool wrongCa = false;
        foreach (ServerAddress server in servers)
        {
            List<IPEndPoint> addresses = await AddressesAsync(server, tried, stop).ConfigureAwait(false);
            while (await AddressRace.RunAsync(addresses, mark, tried, stop).ConfigureAwait(false) is var (address, connected))
            {
                addresses.Remove(address);
                using ServerRoute route = new(address, connected, trust, client, mark);
                try
                {
                    return (await PostAsync(route, path, body, explain, stop).ConfigureAwait(false), address.ToString());
                }
                catch (Exception fault) when (fault is HttpRequestException or IOException or TimeoutException or JsonException)
                {
                    wrongCa |= route.CertificateFault is not null;
                    tried.Add($"{address} ({route.CertificateFault ?? Innermost(fault)})");
                }
            }
        }

        throw new MeshException(
            wrongCa ? MeshExit.Refused : MeshExit.Unreachable,
            $"no server could be reached: {string.Join("; ", tried)}; is 'edgemesh server' running there, and the port open?"
            + (wrongCa ? " A certificate that is refused is another mesh's server or another program's: check --server, or make a new token." : ""));
    }

    private async Task<CertificateAnswer> PostAsync(
        ServerRoute route, string path, string body, Func<ErrorAnswer, string, MeshException> explain, CancellationToken stop)
    {
        using HttpClient http = new(route.Handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = 64 * 1024 };
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(RequestPatience);
        using StringContent content = new(body, Encoding.UTF8, "application/json");
        try
        {
            using HttpResponseMessage response = await http.PostAsync(new Uri(ServerRoute.Origin + path), content, limit.Token).ConfigureAwait(false);
            byte[] bytes = await response.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false);
            if (response.Headers.Date is { } date)
            {
                clock.Observe(date);
            }

            if (response.IsSuccessStatusCode)
            {
                return Read(bytes, WireJson.Default.CertificateAnswer);
            }

            throw explain(ReadError(bytes, response.StatusCode), route.Address.ToString());
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {RequestPatience.TotalSeconds} s");
        }
    }

    private static async Task<List<IPEndPoint>> AddressesAsync(ServerAddress server, List<string> tried, CancellationToken stop)
    {
        try
        {
            IPAddress[] addresses = await server.ResolveAsync(stop).ConfigureAwait(false);
            return [.. server.Ports.SelectMany(port => addresses.Select(address => new IPEndPoint(address, port)))];
        }
        catch (SocketException fault)
        {
            tried.Add($"{server} ({fault.Message})");
            return [];
        }
    }

    private static MeshException Explain(ErrorAnswer error, string server, NodeName node, JoinToken token) => error.Code switch
    {
        ErrorCodes.NameTaken => new MeshException(
            MeshExit.Refused,
            $"server {server}: node name '{node}' is held by another key; if that node is gone, run 'edgemesh node forget {node}' on the server: {error.Message}"),
        ErrorCodes.TokenUnknown or ErrorCodes.TokenExpired or ErrorCodes.TokenUsedUp or ErrorCodes.TokenOtherNode => new MeshException(
            MeshExit.Refused, $"server {server} refused join token {token.Id} for node '{node}': {error.Message}"),
        ErrorCodes.SlowDown => new MeshException(MeshExit.Unreachable, $"server {server} asks to try again later: {error.Message}"),
        _ => new MeshException(MeshExit.Refused, $"server {server} refused to enrol node '{node}': {error.Message}"),
    };

    private static ErrorAnswer ReadError(byte[] bytes, HttpStatusCode status)
    {
        try
        {
            return Read(bytes, WireJson.Default.ErrorAnswer);
        }
        catch (JsonException)
        {
            return new ErrorAnswer("http", $"HTTP {(int)status}");
        }
    }

    private static T Read<T>(byte[] bytes, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("empty answer");

    private static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
        {
            fault = inner;
        }

        return fault.Message;
    }
}
