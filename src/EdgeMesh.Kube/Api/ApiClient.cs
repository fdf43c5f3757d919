using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace EdgeMesh.Kube;

/// <summary>GET requests to one API, with its credentials. Its handler is made anew after a refusal, so rotated certificates are read.</summary>
internal sealed class ApiClient(ApiEndpoint endpoint) : IDisposable
{
    private const int MaxStatus = 64 * 1024;

    private static readonly ProductInfoHeaderValue Agent = new("edgemesh", "1");
    private HttpClient http = NewClient(endpoint);

    // Watches may still run on the one before.
    private HttpClient? former;

    public ApiEndpoint Endpoint => endpoint;

    /// <summary>Sends a request; the answer's head has come, its body has not been read.</summary>
    /// <exception cref="ApiException">The API refuses.</exception>
    /// <exception cref="HttpRequestException">It cannot be reached.</exception>
    /// <exception cref="IOException">Credentials cannot be read.</exception>
    public async Task<HttpResponseMessage> GetAsync(string pathAndQuery, CancellationToken stop)
    {
        HttpResponseMessage response = await SendAsync(pathAndQuery, stop).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            // Tokens rotate and certificates are renewed: once more with what is there now.
            response.Dispose();
            endpoint.Token.Forget();
            HttpClient? oldest = former;
            (former, http) = (http, NewClient(endpoint));
            oldest?.Dispose();
            response = await SendAsync(pathAndQuery, stop).ConfigureAwait(false);
        }

        if (response.StatusCode == HttpStatusCode.OK)
        {
            return response;
        }

        using (response)
        {
            string said = await ReadStatusAsync(response, stop).ConfigureAwait(false);
            throw new ApiException((int)response.StatusCode, $"HTTP {(int)response.StatusCode}{(said.Length > 0 ? ": " + said : "")}", response.Headers.RetryAfter?.Delta);
        }
    }

    public void Dispose()
    {
        http.Dispose();
        former?.Dispose();
    }

    private static HttpClient NewClient(ApiEndpoint endpoint) => new(endpoint.NewHandler()) { BaseAddress = endpoint.Base, Timeout = Timeout.InfiniteTimeSpan };

    private async Task<HttpResponseMessage> SendAsync(string pathAndQuery, CancellationToken stop)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(endpoint.Base, endpoint.Base.AbsolutePath.TrimEnd('/') + pathAndQuery));
        request.Headers.UserAgent.Add(Agent);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (await endpoint.Token.GetAsync(stop).ConfigureAwait(false) is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
    }

    // The message of a Status object, else the text itself, on one line.
    private static async Task<string> ReadStatusAsync(HttpResponseMessage response, CancellationToken stop)
    {
        byte[] buffer = new byte[MaxStatus];
        int length = await (await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false)).ReadAtLeastAsync(buffer, MaxStatus, false, stop).ConfigureAwait(false);
        try
        {
            return JsonReader.Read(buffer.AsSpan(0, length), new StringPool(16), countLines: false)["message"].Text;
        }
        catch (DocumentException)
        {
            return Encoding.UTF8.GetString(buffer, 0, Math.Min(length, 200)).ReplaceLineEndings(" ").Trim();
        }
    }
}
