using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeMesh.App.Metrics;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.App;

public sealed class SmallListenerTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly MetricsCollector metrics = new();
    private readonly SmallListener listener;
    private string? notReady;

    public SmallListenerTests()
    {
        OpsPages pages = new(metrics, () => notReady);
        listener = SmallListener.Tcp(new IPEndPoint(IPAddress.Loopback, 0), "--metrics", Limit, new HttpPages(pages.Get).ServeAsync, NullLogger.Instance);
        listener.Start();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await listener.DisposeAsync();
    }

    public void Dispose() => metrics.Dispose();

    [Fact]
    public async Task AnswersAnOrdinaryHttpClient()
    {
        using HttpClient client = new();
        string url = $"http://{listener.LocalEndPoint}";
        Assert.Equal("ok\n", await client.GetStringAsync(url + "/healthz"));
        Assert.Equal("ok\n", await client.GetStringAsync(url + "/readyz?verbose"));
        HttpResponseMessage answer = await client.GetAsync(url + "/metrics");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(url + "/")).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.PostAsync(url + "/metrics", null)).StatusCode);
    }

    [Fact]
    public async Task SaysWhyItIsNotReady()
    {
        notReady = "manifests not read yet";
        using HttpClient client = new();
        HttpResponseMessage answer = await client.GetAsync($"http://{listener.LocalEndPoint}/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("manifests not read yet\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task AHeadInPiecesIsPutTogether()
    {
        using TcpClient client = new();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndPoint);
        NetworkStream stream = client.GetStream();
        client.NoDelay = true;
        foreach (char c in "GET /healthz HTTP/1.1\r\n\r\n")
        {
            stream.WriteByte((byte)c);
        }

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReadAllAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEndlessHeadIsRefused()
    {
        using TcpClient client = new();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndPoint);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes("GET /" + new string('a', 8192 - 5)));
        Assert.StartsWith("HTTP/1.1 431 ", await ReadAllAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RandomBytesChangeNothing()
    {
        Random random = new(7);
        for (int i = 0; i < 50; i++)
        {
            byte[] noise = new byte[random.Next(1, 9000)];
            random.NextBytes(noise);
            using TcpClient client = new();
            await client.ConnectAsync((IPEndPoint)listener.LocalEndPoint);
            try
            {
                await client.GetStream().WriteAsync(noise);
            }
            catch (IOException)
            {
                // It had enough.
            }
        }

        using HttpClient good = new();
        Assert.Equal("ok\n", await good.GetStringAsync($"http://{listener.LocalEndPoint}/healthz"));
    }

    [Fact]
    public void APortInUseIsNamedWithTheRemedy()
    {
        MeshException e = Assert.Throws<MeshException>(() =>
            SmallListener.Tcp((IPEndPoint)listener.LocalEndPoint, "--metrics", Limit, (_, _) => Task.CompletedTask, NullLogger.Instance));
        Assert.Equal(MeshExit.Failed, e.Exit);
        Assert.Contains($"port {listener.LocalEndPoint} (metrics and health) is in use", e.Message, StringComparison.Ordinal);
        Assert.Contains("--metrics", e.Message, StringComparison.Ordinal);
    }

    private static async Task<string> ReadAllAsync(NetworkStream stream)
    {
        using StreamReader reader = new(stream);
        return await reader.ReadToEndAsync();
    }
}
