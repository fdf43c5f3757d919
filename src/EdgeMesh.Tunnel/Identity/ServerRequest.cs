using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// A POST to whichever server answers: tries every way to every server. A server that has joined another sends whoever wants a
/// certificate on to that one.
/// </summary>
internal sealed class ServerRequest(
    IReadOnlyList<ServerAddress> servers, TrustAnchor trust, SslStreamCertificateContext? client, int? mark, HttpProxy? proxy, MeshClock clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Longest answer.</summary>
    public int MaxAnswer { get; init; } = 64 * 1024;

    /// <summary>How long the server may hold its answer back.</summary>
    public TimeSpan Hold { get; init; }

    /// <param name="path">Of the request.</param>
    /// <param name="body">JSON.</param>
    /// <param name="explain">Makes a fault of a server's refusal.</param>
    /// <param name="stop">Stops.</param>
    /// <returns>The answer, and the address that gave it.</returns>
    /// <exception cref="MeshException">Refused, or nobody was reached.</exception>
    public async Task<(byte[] Answer, string Server)> PostAsync(
        string path, byte[] body, Func<ErrorAnswer, string, MeshException> explain, CancellationToken stop)
    {
        List<string> tried = [];
        bool wrongCa = false;
        List<ServerAddress> all = [.. servers];
        for (int i = 0; i < all.Count; i++)
        {
            List<ServerWay> ways = ServerWay.All(all[i], await AddressesAsync(all[i], tried, stop).ConfigureAwait(false), proxy);
            while (await AddressRace.RunAsync(ways, mark, tried, stop).ConfigureAwait(false) is var (way, connected))
            {
                ways.Remove(way);
                using ServerRoute route = new(way, connected, trust, client, mark);
                try
                {
                    (byte[]? answer, ErrorAnswer? error) = await PostAsync(route, path, body, stop).ConfigureAwait(false);
                    if (answer is not null)
                    {
                        return (answer, way.ToString());
                    }

                    if (error!.Code != ErrorCodes.Elsewhere)
                    {
                        throw explain(error, way.ToString());
                    }

                    tried.Add($"{way} (has joined {error.Message})");
                    if (!all.Exists(known => known.Text == error.Message))
                    {
                        all.Add(ServerAddress.Parse(error.Message));
                    }

                    break;
                }
                catch (Exception fault) when (fault is HttpRequestException or IOException or TimeoutException or JsonException)
                {
                    wrongCa |= route.CertificateFault is not null;
                    tried.Add($"{way} ({route.CertificateFault ?? Innermost(fault)})");
                }
            }
        }

        throw new MeshException(
            wrongCa ? MeshExit.Refused : MeshExit.Unreachable,
            $"no server could be reached: {string.Join("; ", tried)}; is 'edgemesh server' running there, and the port open?"
            + (wrongCa ? " A certificate that is refused is another mesh's server or another program's: check the address, or make a new token." : ""));
    }

    private async Task<(byte[]? Answer, ErrorAnswer? Error)> PostAsync(ServerRoute route, string path, byte[] body, CancellationToken stop)
    {
        using HttpClient http = new(route.Handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswer };
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience + Hold);
        using ByteArrayContent content = new(body);
        content.Headers.ContentType = new("application/json", Encoding.UTF8.WebName);
        try
        {
            using HttpResponseMessage response = await http.PostAsync(new Uri($"https://{route.Host}{path}"), content, limit.Token).ConfigureAwait(false);
            byte[] bytes = await response.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false);
            if (response.Headers.Date is { } date)
            {
                clock.Observe(date);
            }

            return response.IsSuccessStatusCode ? (bytes, null) : (null, ReadError(bytes, response.StatusCode));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {(Patience + Hold).TotalSeconds} s");
        }
    }

    private static async Task<IPAddress[]> AddressesAsync(ServerAddress server, List<string> tried, CancellationToken stop)
    {
        try
        {
            return await server.ResolveAsync(stop).ConfigureAwait(false);
        }
        catch (SocketException fault)
        {
            tried.Add($"{server} ({fault.Message})");
            return [];
        }
    }

    private static ErrorAnswer ReadError(byte[] bytes, HttpStatusCode status)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, WireJson.Default.ErrorAnswer) ?? throw new JsonException("empty answer");
        }
        catch (JsonException)
        {
            return new ErrorAnswer("http", $"HTTP {(int)status}");
        }
    }

    private static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
        {
            fault = inner;
        }

        return fault.Message;
    }
}
