using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>An endpoint that reads each connection to its end and answers in capitals; with a question of "" it sends the test's stream instead.</summary>
internal sealed class TestEndpoint : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>What to do with a connection instead.</summary>
    public Func<NetworkStream, Task>? Serve { get; set; }

    public Task Serving { get; private set; } = Task.CompletedTask;

    public static TestEndpoint Of(TestNode node)
    {
        TestEndpoint endpoint = new();
        endpoint.listener.Start();
        node.Own(endpoint.EndPoint);
        endpoint.Serving = endpoint.AcceptAsync();
        return endpoint;
    }

    public async Task<(DialStatus Status, string Answer)> AskAsync(TestNode from, TestNode to, string question)
    {
        (NetworkStream client, Socket accepted, Task<TcpForwardResult> result) = await from.DialAsync(to, EndPoint);
        await using NetworkStream closing = client;
        using Socket other = accepted;
        await client.WriteAsync(Encoding.UTF8.GetBytes(question));
        client.Socket.Shutdown(SocketShutdown.Send);
        using StreamReader reader = new(client);
        string answer = await reader.ReadToEndAsync();
        TcpForwardResult done = await result;
        Assert.Equal((question.Length, answer.Length), (done.BytesToPeer, done.BytesFromPeer));
        return (done.Status, answer);
    }

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            List<Task> all = [];
            while (true)
            {
                all.Add(HandleAsync(await listener.AcceptTcpClientAsync()));
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task HandleAsync(TcpClient connection)
    {
        using TcpClient closing = connection;
        if (Serve is { } serve)
        {
            await serve(connection.GetStream());
            return;
        }

        using StreamReader reader = new(connection.GetStream());
        string all = await reader.ReadToEndAsync();
        await connection.GetStream().WriteAsync(Encoding.UTF8.GetBytes(all.ToUpperInvariant()));
    }
}
