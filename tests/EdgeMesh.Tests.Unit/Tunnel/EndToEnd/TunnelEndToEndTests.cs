using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>Whole tunnels over a real server, on loopback. Paths are cut by dropping datagrams to an address.</summary>
public sealed class TunnelEndToEndTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task CarriesAConnectionThroughTheRelay()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true);
        TestNode b = await mesh.AddAsync("edge2", disableDirect: true);
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        Assert.Equal((DialStatus.Ok, "HELLO"), await endpoint.AskAsync(a, b, "hello").WaitAsync(Patience));
        Assert.Contains(a.PeerOf(b)!.Path, (PathKind[])[PathKind.RelayUdp, PathKind.RelayTls]);
    }

    [Fact]
    public async Task MovesToTheDirectPathSoonAfterTheFirstConnection()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        Assert.Equal((DialStatus.Ok, "HELLO"), await endpoint.AskAsync(a, b, "hello").WaitAsync(Patience));
        long began = Stopwatch.GetTimestamp();
        PeerStatus peer = await a.UntilAsync(b, p => p.Path >= PathKind.Direct && p.Mtu == 1472);
        await b.UntilAsync(a, p => p.Path >= PathKind.Direct);
        output.WriteLine($"direct after {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
        Assert.Equal(b.Port, peer.RemoteAddress!.Port);
        PingResult ping = await a.Tunnel.PingAsync(b.Name, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(peer.Path, ping.Path);
        Assert.InRange(ping.RoundTrip, TimeSpan.FromMicroseconds(1), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task ATransferSurvivesEveryChangeOfPath()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        await using TestTransfer transfer = await TestTransfer.StartAsync(a, b, endpoint);

        await a.UntilAsync(b, p => p.Path >= PathKind.Direct);
        await transfer.MovesAsync();
        Cut(a, b);
        long began = Stopwatch.GetTimestamp();
        await a.UntilAsync(b, p => p.Path == PathKind.RelayUdp);
        output.WriteLine($"after {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
        await b.UntilAsync(a, p => p.Path == PathKind.RelayUdp);
        await transfer.MovesAsync();

        CutServer(mesh, a);
        await a.UntilAsync(b, p => p.Path == PathKind.RelayTls);
        await transfer.MovesAsync();
        CutServer(mesh, b);
        await b.UntilAsync(a, p => p.Path == PathKind.RelayTls);
        await transfer.MovesAsync();
        Heal(a, b);
        await a.UntilAsync(b, p => p.Path >= PathKind.Direct);
        await b.UntilAsync(a, p => p.Path >= PathKind.Direct);
        await transfer.MovesAsync();
        await transfer.VerifyAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task TheDirectPathDoesNotCareAboutTheServer()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        await using TestTransfer transfer = await TestTransfer.StartAsync(a, b, endpoint);
        await a.UntilAsync(b, p => p.Path >= PathKind.Direct);
        await b.UntilAsync(a, p => p.Path >= PathKind.Direct);
        await mesh.StopServerAsync();
        await a.UntilServerAsync(s => !s.Connected);
        await transfer.MovesAsync();
        using TestEndpoint second = TestEndpoint.Of(b);
        Assert.Equal((DialStatus.Ok, "NEW"), await second.AskAsync(a, b, "new").WaitAsync(Patience));

        long began = Stopwatch.GetTimestamp();
        await mesh.StartServerAsync();
        await a.UntilServerAsync(s => s.Connected);
        output.WriteLine($"after {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
        await transfer.VerifyAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task ARelayedTransferSurvivesARestartOfTheServer()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1", disableDirect: true);
        TestNode b = await mesh.AddAsync("edge2", disableDirect: true);
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        await using TestTransfer transfer = await TestTransfer.StartAsync(a, b, endpoint);
        await transfer.MovesAsync();
        await mesh.StopServerAsync();
        await mesh.StartServerAsync();
        await a.UntilServerAsync(s => s.Connected);
        await b.UntilServerAsync(s => s.Connected);
        await transfer.MovesAsync();
        await transfer.VerifyAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task TwoDialsAtOnceBecomeOneConnectionThatServesBoth()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using TestEndpoint atA = TestEndpoint.Of(a);
        using TestEndpoint atB = TestEndpoint.Of(b);
        Task<(DialStatus, string)>[] all =
        [
            .. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? atB.AskAsync(a, b, $"n{i}") : atA.AskAsync(b, a, $"n{i}")),
        ];
        (DialStatus, string)[] answers = await Task.WhenAll(all).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (DialStatus.Ok, $"N{i}")), answers);
    }

    [Fact]
    public async Task ARestartedPeerIsReachedAtOnce()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        Assert.Equal((DialStatus.Ok, "ONE"), await endpoint.AskAsync(a, b, "one").WaitAsync(Patience));
        await b.RestartAsync();
        await b.UntilServerAsync(s => s.Connected);
        long began = Stopwatch.GetTimestamp();
        Assert.Equal((DialStatus.Ok, "TWO"), await endpoint.AskAsync(a, b, "two").WaitAsync(Patience));
        output.WriteLine($"after {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
    }

    [Fact]
    public async Task APeerThatIsNowhereFailsFastAndGivesTheClientBack()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        await b.StopAsync();
        await a.UntilServerAsync(s => s.Connected);
        (NetworkStream client, Socket accepted, Task<TcpForwardResult> result) = await a.DialAsync(b, new IPEndPoint(IPAddress.Loopback, 9));
        await using NetworkStream closing = client;
        using Socket back = accepted;
        await client.WriteAsync("hello"u8.ToArray());
        long began = Stopwatch.GetTimestamp();
        TcpForwardResult done = await result.WaitAsync(Patience);
        output.WriteLine($"after {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
        Assert.Equal(DialStatus.PeerUnreachable, done.Status);
        byte[] got = new byte[5];
        int have = done.Unsent.Length;
        done.Unsent.CopyTo(got);
        await using NetworkStream rest = new(back);
        await rest.ReadExactlyAsync(got.AsMemory(have)).AsTask().WaitAsync(Patience);
        Assert.Equal("hello"u8.ToArray(), got);
        await b.StartAsync();
    }

    [Fact]
    public async Task TheFarAgentsAnswersComeBackWithWhatTheClientHadSent()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using TestEndpoint endpoint = TestEndpoint.Of(b);
        IPEndPoint closed = new(IPAddress.Loopback, TestMesh.FreePort());
        b.Own(closed);
        Assert.Equal((DialStatus.NotMine, "hello"), await RefusedAsync(a, b, new IPEndPoint(IPAddress.Loopback, 9)));
        Assert.Equal((DialStatus.Refused, "hello"), await RefusedAsync(a, b, closed));
    }

    [Fact]
    public async Task DatagramsOfEverySizeComeBackWhole()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        TestNode a = await mesh.AddAsync("edge1");
        TestNode b = await mesh.AddAsync("edge2");
        using UdpClient echo = new(new IPEndPoint(IPAddress.Loopback, 0));
        b.Own((IPEndPoint)echo.Client.LocalEndPoint!);
        using CancellationTokenSource stop = new();
        Task echoing = EchoAsync(echo, stop.Token);
        TaskCompletionSource<byte[]> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using UdpFlow flow = a.Flow(b, (IPEndPoint)echo.Client.LocalEndPoint!, payload => answer.TrySetResult(payload.ToArray()));
        Random random = new(3);
        foreach (int size in (int[])[1, 100, 1200, 1472, 4096, 20_000, 60_000, 65_000])
        {
            answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
            byte[] question = new byte[size];
            random.NextBytes(question);
            flow.Send(question);
            Assert.Equal(question, await answer.Task.WaitAsync(Patience));
        }

        Assert.Equal(DialStatus.Ok, flow.Status);
        await stop.CancelAsync();
        await echoing;
    }

    private static async Task EchoAsync(UdpClient echo, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                UdpReceiveResult got = await echo.ReceiveAsync(stop);
                await echo.SendAsync(got.Buffer, got.RemoteEndPoint, stop);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static async Task<(DialStatus Status, string Given)> RefusedAsync(TestNode from, TestNode to, IPEndPoint endpoint)
    {
        (NetworkStream client, Socket accepted, Task<TcpForwardResult> result) = await from.DialAsync(to, endpoint);
        await using NetworkStream closing = client;
        using Socket back = accepted;
        await client.WriteAsync("hello"u8.ToArray());
        TcpForwardResult done = await result.WaitAsync(Patience);
        byte[] got = new byte[5];
        done.Unsent.CopyTo(got);
        await using NetworkStream rest = new(back);
        await rest.ReadExactlyAsync(got.AsMemory(done.Unsent.Length)).AsTask().WaitAsync(Patience);
        return (done.Status, System.Text.Encoding.UTF8.GetString(got));
    }

    private static void Cut(TestNode a, TestNode b)
    {
        a.Blocked[b.Port] = true;
        b.Blocked[a.Port] = true;
    }

    private static void Heal(TestNode a, TestNode b)
    {
        a.Blocked.TryRemove(b.Port, out _);
        b.Blocked.TryRemove(a.Port, out _);
    }

    private static void CutServer(TestMesh mesh, TestNode node) => node.Blocked[mesh.ServerPort] = true;
}
