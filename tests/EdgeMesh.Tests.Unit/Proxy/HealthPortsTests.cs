using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class HealthPortsTests : IAsyncDisposable
{
    private static readonly ServiceName First = new("default", "first");
    private static readonly ServiceName Second = new("default", "second");

    private readonly HealthPorts ports = new(NullLogger.Instance);
    private readonly ushort port = FreePort();

    public ValueTask DisposeAsync() => ports.DisposeAsync();

    [Theory]
    [InlineData(2, "200 OK")]
    [InlineData(0, "503 Service Unavailable")]
    public void AnswersAsKubeProxyDoes(int endpoints, string status)
    {
        string[] lines = HealthPorts.Answer(First, endpoints).Split("\r\n");

        Assert.Equal($"HTTP/1.1 {status}", lines[0]);
        Assert.Contains("Content-Type: application/json", lines);
        Assert.Contains("X-Content-Type-Options: nosniff", lines);
        Assert.Contains($"X-Load-Balancing-Endpoint-Weight: {endpoints}", lines);
        Assert.Contains($"Content-Length: {lines[^1].Length}", lines);
        Assert.Equal(
            $$"""{"service":{"namespace":"default","name":"first"},"localEndpoints":{{endpoints}},"serviceProxyHealthy":true}""", lines[^1]);
    }

    [Fact]
    public async Task APortGoesFromOneServiceToAnother()
    {
        ports.Set(Second, port, 1);
        ports.Apply();
        Assert.Contains("second", await AskAsync(), StringComparison.Ordinal);

        // The new owner is told of before the old one goes.
        ports.Set(First, port, 1);
        ports.Set(Second, 0, 0);
        ports.Apply();
        Assert.Contains("first", await AskAsync(), StringComparison.Ordinal);

        ports.Set(First, 0, 0);
        ports.Apply();
        await Assert.ThrowsAsync<SocketException>(AskAsync);
    }

    [Fact]
    public async Task ATakenPortIsTriedAgain()
    {
        using (Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            other.Bind(new IPEndPoint(IPAddress.Any, port));
            other.Listen();
            ports.Set(First, port, 3);
            ports.Apply();
        }

        ports.Apply();
        Assert.Contains("\"localEndpoints\":3", await AskAsync(), StringComparison.Ordinal);
    }

    private async Task<string> AskAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(10));
        using Socket asker = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await asker.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), patience.Token);
        await asker.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), patience.Token);
        byte[] buffer = new byte[1024];
        int length = 0;
        while (await asker.ReceiveAsync(buffer.AsMemory(length), patience.Token) is > 0 and int count)
        {
            length += count;
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private static ushort FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
