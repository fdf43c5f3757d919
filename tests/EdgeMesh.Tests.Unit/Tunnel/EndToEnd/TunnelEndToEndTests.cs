using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

public sealed class TunnelEndToEndTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task CarriesAConnectionThroughTheRelay()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true);
        TestNode b = await mesh.AddAsync("edge2", disableDirect: true);
        using TcpListener endpoint = Serve(b, out Task serving);
        (NetworkStream client, Task<TcpForwardResult> result) = await a.DialAsync(b, (IPEndPoint)endpoint.LocalEndpoint);
        Assert.Equal("HELLO", await AskAsync(client, "hello").WaitAsync(Patience));
        TcpForwardResult done = await result.WaitAsync(Patience);
        Assert.Equal((DialStatus.Ok, 5L, 5L), (done.Status, done.BytesToPeer, done.BytesFromPeer));
        await serving.WaitAsync(Patience);
        Assert.Contains(a.PeerOf(b)!.Path, (PathKind[])[PathKind.RelayUdp, PathKind.RelayTls]);
    }

    // An endpoint that reads to the end and answers in capitals, once.
    private static TcpListener Serve(TestNode node, out Task serving)
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        node.Own((IPEndPoint)listener.LocalEndpoint);
        serving = ServeOneAsync(listener);
        return listener;
    }

    private static async Task ServeOneAsync(TcpListener listener)
    {
        using TcpClient connection = await listener.AcceptTcpClientAsync();
        using StreamReader reader = new(connection.GetStream());
        string all = await reader.ReadToEndAsync();
        await connection.GetStream().WriteAsync(Encoding.UTF8.GetBytes(all.ToUpperInvariant()));
    }

    private static async Task<string> AskAsync(NetworkStream client, string question)
    {
        await client.WriteAsync(Encoding.UTF8.GetBytes(question));
        client.Socket.Shutdown(SocketShutdown.Send);
        using StreamReader reader = new(client);
        return await reader.ReadToEndAsync();
    }
}
