using System.Net;
using System.Net.Sockets;
using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Identity;

namespace EdgeMesh.Tests.Unit.Tunnel.Identity;

/// <summary>Ways to servers against real sockets on loopback.</summary>
public class ServerWayTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void TheProxyComesLastAndByName()
    {
        HttpProxy proxy = Proxy("http://10.0.0.1:3128");
        List<ServerWay> ways = ServerWay.All(ServerAddress.Parse("mesh.example.org"), [IPAddress.Parse("198.51.100.1")], proxy);
        Assert.Equal(
            ["198.51.100.1:20006", "198.51.100.1:443", "mesh.example.org:20006 through proxy 10.0.0.1:3128", "mesh.example.org:443 through proxy 10.0.0.1:3128"],
            ways.Select(way => way.ToString()));
        Assert.Equal(2, ServerWay.All(ServerAddress.Parse("mesh.example.org"), [], proxy).Count);
        Assert.Single(ServerWay.All(ServerAddress.Parse("mesh.example.org:443"), [IPAddress.Loopback], proxy.Except("example.org")), way => way.Port == 443);
    }

    [Theory]
    [InlineData("mesh.example.org", "mesh.example.org")]
    [InlineData("198.51.100.1", "edgemesh-server")]
    [InlineData("[2001:db8::1]:443", "edgemesh-server")]
    public void ShowsTheServersOwnNameWhereItHasOne(string server, string name) =>
        Assert.Equal(name, ServerWay.All(ServerAddress.Parse(server), [IPAddress.Loopback], null)[0].ServerName);

    [Fact]
    public async Task AsksForTheServerByNameAndShowsItsLogin()
    {
        using Socket server = Listen();
        await using TestProxy proxy = new(_ => TestProxy.Open) { LeadsTo = (IPEndPoint)server.LocalEndPoint! };
        using Socket socket = await Through(proxy, "edge:secret@").ConnectAsync(null, CancellationToken.None);
        using Socket accepted = await server.AcceptAsync();
        await socket.SendAsync("hello"u8.ToArray());
        byte[] read = new byte[5];
        await accepted.ReceiveAsync(read);
        Assert.Equal("hello"u8, read);
        Assert.Equal(
            $"CONNECT mesh.example.org:20006 HTTP/1.1\r\nHost: mesh.example.org:20006\r\nProxy-Authorization: Basic ZWRnZTpzZWNyZXQ=\r\n\r\n",
            Assert.Single(proxy.Requests));
    }

    [Theory]
    [InlineData("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", "", "407: the proxy wants a name and a password")]
    [InlineData("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", "edge:secret@", "407: the proxy refuses the name and password")]
    [InlineData("HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n", "edge:secret@", "401: the proxy refuses the name and password")]
    [InlineData("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n", "edge:secret@", "Negotiate or NTLM")]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "", "does not allow CONNECT to mesh.example.org:20006")]
    [InlineData("HTTP/1.1 503 Busy\r\n\r\n", "", "503: the proxy cannot reach mesh.example.org:20006 (Busy)")]
    [InlineData("HTTP/1.1 500 Oh\r\n\r\n", "", "the proxy answers 500 (Oh)")]
    [InlineData("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 No\r\n\r\n", "", "403: ")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "", "no HTTP proxy")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", "", "speaks into it itself")]
    [InlineData("HTTP/1.1 403", "", "closes the connection without an answer")]
    public async Task SaysWhatTheProxyRefuses(string answer, string login, string said)
    {
        await using TestProxy proxy = new(_ => answer);
        IOException fault = await Assert.ThrowsAsync<IOException>(() => Through(proxy, login).ConnectAsync(null, CancellationToken.None));
        Assert.Contains(said, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DoesNotAskTheProxyWhereTheServerAnswers()
    {
        using Socket server = Listen();
        await using TestProxy proxy = new(_ => TestProxy.Open);
        (ServerWay way, Socket socket) = (await RaceAsync(Direct(server), Through(proxy, ""))).Result!.Value;
        socket.Dispose();
        Assert.Null(way.Proxy);
        Assert.Empty(proxy.Requests);
    }

    [Fact]
    public async Task AsksTheProxyAtOnceWhenAllElseIsRefused()
    {
        using Socket gone = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        gone.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: refused
        using Socket server = Listen();
        await using TestProxy proxy = new(head => head.Contains(":443 ", StringComparison.Ordinal) ? TestProxy.Open : "HTTP/1.1 403 No\r\n\r\n") { LeadsTo = (IPEndPoint)server.LocalEndPoint! };
        ServerWay refused = Through(proxy, "");
        (var result, List<string> tried) = await RaceAsync(Direct(gone), refused, refused with { Port = 443 });
        result!.Value.Socket.Dispose();
        Assert.Equal(443, result.Value.Way.Port);
        Assert.Equal(2, tried.Count);
        Assert.StartsWith($"mesh.example.org:20006 through proxy 127.0.0.1:{proxy.Port} (403: ", tried[1], StringComparison.Ordinal);
    }

    /// <summary>A server that is far takes longer than a proxy next door: it has a second before that is asked.</summary>
    [Fact]
    public async Task AsksTheProxyWhenTheServerIsSilent()
    {
        using Socket server = Listen();
        await using TestProxy proxy = new(_ => TestProxy.Open) { LeadsTo = (IPEndPoint)server.LocalEndPoint! };
        using Socket full = await FullAsync();
        long began = Environment.TickCount64;
        (ServerWay way, Socket socket) = (await RaceAsync(Direct(full), Through(proxy, ""))).Result!.Value;
        socket.Dispose();
        Assert.NotNull(way.Proxy);
        Assert.InRange(Environment.TickCount64 - began, 950, 3000);
    }

    private static async Task<((ServerWay Way, Socket Socket)? Result, List<string> Tried)> RaceAsync(params ServerWay[] ways)
    {
        using CancellationTokenSource limit = new(Patience);
        List<string> tried = [];
        return (await AddressRace.RunAsync(ways, null, tried, limit.Token), tried);
    }

    private static HttpProxy Proxy(string url) => HttpProxy.TryParse(url, out HttpProxy? proxy, out _) ? proxy : throw new ArgumentException(url);

    private static ServerWay Through(TestProxy proxy, string login) =>
        new("mesh.example.org", 20006, null, Proxy($"http://{login}127.0.0.1:{proxy.Port}"));

    private static ServerWay Direct(Socket server)
    {
        IPEndPoint at = (IPEndPoint)server.LocalEndPoint!;
        return new ServerWay("mesh.example.org", (ushort)at.Port, at.Address, null);
    }

    private static Socket Listen()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    // A listener whose queue is full does not answer: as silent as a firewall that drops.
    private static async Task<Socket> FullAsync()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(0);
        while (true)
        {
            Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using CancellationTokenSource limit = new(TimeSpan.FromMilliseconds(200));
            try
            {
                await filler.ConnectAsync(socket.LocalEndPoint!, limit.Token);
            }
            catch (OperationCanceledException)
            {
                filler.Dispose();
                return socket;
            }
        }
    }
}
