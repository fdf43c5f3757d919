using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tests.Unit.Quic;
using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>A node whose peers are shared out among several threads.</summary>
public sealed class ShardEndToEndTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryPeerIsServedOnItsOwnThreadBothWays(bool disableDirect)
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode hub = await mesh.AddAsync("hub", disableDirect, threads: 3);
        TestNode[] edges = [.. await AddAsync(mesh, 4, disableDirect)];
        using TestEndpoint atHub = TestEndpoint.Of(hub);
        TestEndpoint[] endpoints = [.. edges.Select(TestEndpoint.Of)];

        // The hub dials the first two, the others dial the hub.
        List<TestTransfer> transfers = [];
        for (int i = 0; i < edges.Length; i++)
        {
            transfers.Add(i < 2 ? await TestTransfer.StartAsync(hub, edges[i], endpoints[i]) : await TestTransfer.StartAsync(edges[i], hub, atHub));
        }

        for (int i = 0; i < edges.Length; i++)
        {
            if (!disableDirect)
            {
                await hub.UntilAsync(edges[i], p => p.Path >= PathKind.Direct);
            }

            Assert.Equal((DialStatus.Ok, "UP"), await atHub.AskAsync(edges[i], hub, "up").WaitAsync(Patience));
            Assert.Equal((DialStatus.Ok, "DOWN"), await endpoints[i].AskAsync(hub, edges[i], "down").WaitAsync(Patience));
            await EchoesAsync(hub, edges[i]);
            await EchoesAsync(edges[i], hub);
        }

        Assert.Equal([0, 1, 2, 0], edges.Select(edge => hub.PeerOf(edge)!.Shard));
        await ForAll(transfers, t => t.MovesAsync());
        await ForAll(transfers, t => t.VerifyAsync());
        foreach (IDisposable endpoint in endpoints)
        {
            endpoint.Dispose();
        }
    }

    [Fact]
    public async Task RelayedPeersOfAllThreadsSurviveTheLossOfUdpAndOfTheServer()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode hub = await mesh.AddAsync("hub", disableDirect: true, threads: 3);
        TestNode[] edges = [.. await AddAsync(mesh, 3, disableDirect: true)];
        using TestEndpoint atHub = TestEndpoint.Of(hub);
        List<TestTransfer> transfers = [];
        foreach (TestNode edge in edges)
        {
            transfers.Add(await TestTransfer.StartAsync(edge, hub, atHub));
        }

        hub.Blocked[mesh.ServerPort] = true;
        foreach (TestNode edge in edges)
        {
            await hub.UntilAsync(edge, p => p.Path == PathKind.RelayTls);
        }

        await ForAll(transfers, t => t.MovesAsync());
        hub.Blocked.Clear();
        foreach (TestNode edge in edges)
        {
            await hub.UntilAsync(edge, p => p.Path == PathKind.RelayUdp);
        }

        await ForAll(transfers, t => t.MovesAsync());
        await mesh.StopServerAsync();
        await mesh.StartServerAsync();
        await ForAll(transfers, t => t.MovesAsync());
        await ForAll(transfers, t => t.VerifyAsync());
    }

    [Fact]
    public async Task AStoppedNodeTellsThePeersOfAllThreadsAndComesBack()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode hub = await mesh.AddAsync("hub", threads: 3);
        TestNode[] edges = [.. await AddAsync(mesh, 3, disableDirect: false)];
        using TestEndpoint atHub = TestEndpoint.Of(hub);
        await AllAskAsync(edges, hub, atHub, "one", "ONE");

        await hub.StopAsync();
        foreach (TestNode edge in edges)
        {
            await edge.UntilAsync(hub, p => !p.Connected);
        }

        await hub.StartAsync();
        await hub.UntilServerAsync(s => s.Connected);
        await AllAskAsync(edges, hub, atHub, "two", "TWO");
    }

    [Fact]
    public async Task ARevokedPeerIsCutOffOnWhicheverThreadItIs()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode hub = await mesh.AddAsync("hub", threads: 3);
        TestNode[] edges = [.. await AddAsync(mesh, 3, disableDirect: false)];
        using TestEndpoint atHub = TestEndpoint.Of(hub);
        await AllAskAsync(edges, hub, atHub, "one", "ONE");

        TestNode revoked = edges.Single(edge => hub.PeerOf(edge)!.Shard == 1);
        hub.Tunnel.Revoke(mesh.SignRevocation(revoked.Name.Value));
        await hub.UntilAsync(revoked, p => !p.Connected);
        Assert.All(edges.Except([revoked]), edge => Assert.True(hub.PeerOf(edge)!.Connected));
    }

    /// <summary>The mesh address in a dial's first packet is a hint that anybody may forge; the certificate says whose connection it is.</summary>
    [Fact]
    public async Task ADialThatNamesAnotherNodeIsRefusedAndHarmsNobody()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode hub = await mesh.AddAsync("hub");
        TestNode[] edges = [.. await AddAsync(mesh, 2, disableDirect: false)];
        using TestEndpoint atHub = TestEndpoint.Of(hub);
        await AllAskAsync(edges, hub, atHub, "one", "ONE");

        Assert.Equal([0, 1], edges.Select(edge => hub.PeerOf(edge)!.Shard));
        NodeIdentity own = edges[0].Identity;
        await using Reactor reactor = new("forger", NullLogger.Instance);
        using QuicCredentials credentials = QuicCredentials.FromPem(own.CaPem, own.CertificatePem, own.KeyPem);
        RecordingHandler handler = new();
        QuicEndpoint endpoint = new(
            reactor, new QuicEndpointOptions { ResetSecret = new byte[32], ClientTag = MeshAddress.Of(edges[1].Name).Value }, credentials, _ => null, NullLogger.Instance);
        UdpOutput? toHub = null;
        using UdpSocket socket = UdpSocket.Open(
            reactor, new IPEndPoint(IPAddress.Loopback, 0), new UdpSocketOptions(), (in UdpAddress _, Span<byte> train, int size) => endpoint.Receive(train, size, toHub!));
        toHub = new UdpOutput(socket, UdpAddress.From(new IPEndPoint(IPAddress.Loopback, hub.Port)), MaxDatagramSize: 1200);
        reactor.Start();
        reactor.Post(() => endpoint.Connect(toHub, handler));
        await Eventually.HoldsAsync(() => handler.Closes is [{ Kind: QuicCloseKind.Tls }]);
        Assert.Equal(0, handler.Connected);

        await AllAskAsync(edges, hub, atHub, "two", "TWO");
    }

    private static async Task<IReadOnlyList<TestNode>> AddAsync(TestMesh mesh, int count, bool disableDirect)
    {
        List<TestNode> added = [];
        for (int i = 1; i <= count; i++)
        {
            added.Add(await mesh.AddAsync($"edge{i}", disableDirect));
        }

        return added;
    }

    private static async Task AllAskAsync(TestNode[] edges, TestNode hub, TestEndpoint atHub, string question, string answer)
    {
        foreach (TestNode edge in edges)
        {
            Assert.Equal((DialStatus.Ok, answer), await atHub.AskAsync(edge, hub, question).WaitAsync(Patience));
        }
    }

    private static async Task EchoesAsync(TestNode from, TestNode to)
    {
        using UdpClient echo = new(new IPEndPoint(IPAddress.Loopback, 0));
        to.Own((IPEndPoint)echo.Client.LocalEndPoint!);
        TaskCompletionSource<byte[]> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using UdpFlow flow = from.Flow(to, (IPEndPoint)echo.Client.LocalEndPoint!, payload => answer.TrySetResult(payload.ToArray()));
        byte[] question = [1, 2, 3];
        flow.Send(question);
        UdpReceiveResult asked = await echo.ReceiveAsync().WaitAsync(Patience);
        await echo.SendAsync(asked.Buffer, asked.RemoteEndPoint);
        Assert.Equal(question, await answer.Task.WaitAsync(Patience));
    }

    private static Task ForAll(IEnumerable<TestTransfer> transfers, Func<TestTransfer, Task> action) =>
        Task.WhenAll(transfers.Select(action)).WaitAsync(Patience);
}
