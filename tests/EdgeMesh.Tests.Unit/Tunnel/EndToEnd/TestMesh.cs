using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Server;
using EdgeMesh.Tunnel;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>A real server and as many real agents' tunnels as a test wants, on loopback.</summary>
internal sealed class TestMesh : IAsyncDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tunnel-mesh-").FullName;
    private readonly List<TestNode> nodes = [];
    private readonly int secondPort = FreePort();
    private ServerService? server;

    private readonly ITestOutputHelper output;

    private TestMesh(int serverPort, ITestOutputHelper output)
    {
        ServerPort = serverPort;
        this.output = output;
    }

    public int ServerPort { get; }

    public ServerService Server => server!;

    /// <summary>A server that has joined the first.</summary>
    public ServerService? Second { get; private set; }

    public string SecondText => $"127.0.0.1:{secondPort}";

    public string ServerText => $"127.0.0.1:{ServerPort}";

    public static async Task<TestMesh> StartAsync(ITestOutputHelper output)
    {
        TestMesh mesh = new(FreePort(), output);
        await mesh.StartServerAsync();
        return mesh;
    }

    public async Task StartServerAsync()
    {
        server = new ServerService(
            new ServerOptions
            {
                StateDirectory = Path.Combine(root, "server"),
                Listen = [new IPEndPoint(IPAddress.Loopback, ServerPort)],
                SecondUdpPort = 0,
                Advertise = ["127.0.0.1"],
            },
            TimeProvider.System,
            new TestLogs("server", output));
        await server.StartAsync(CancellationToken.None);
    }

    public async Task StopServerAsync()
    {
        await server!.DisposeAsync();
        server = null;
    }

    public async Task JoinSecondAsync()
    {
        using Registry registry = new(Path.Combine(root, "server"), TimeProvider.System);
        Second = new ServerService(
            new ServerOptions
            {
                StateDirectory = Path.Combine(root, "second"),
                Listen = [new IPEndPoint(IPAddress.Loopback, secondPort)],
                SecondUdpPort = 0,
                Advertise = ["127.0.0.1"],
                Join = ServerText,
                JoinToken = registry.CreateToken(null, TimeSpan.FromHours(1), 1, forServer: true).Text,
            },
            TimeProvider.System,
            new TestLogs("second", output));
        await Second.StartAsync(CancellationToken.None);
    }

    public void RevokeSecond()
    {
        using Registry registry = new(Path.Combine(root, "server"), TimeProvider.System);
        registry.RevokeServer(Assert.Single(registry.ListServers()).Id);
    }

    /// <summary>Revokes a node and signs the list, as a server does.</summary>
    public byte[] SignRevocation(string node)
    {
        using Registry registry = new(Path.Combine(root, "server"), TimeProvider.System);
        registry.RevokeNode(NodeName.Parse(node));
        return registry.SignedRevocations();
    }

    public string NewToken() => NewToken(TimeSpan.FromHours(1), 10, null);

    public string NewToken(TimeSpan life, int uses, string? node)
    {
        using Registry registry = new(Path.Combine(root, "server"), TimeProvider.System);
        return registry.CreateToken(node is null ? null : NodeName.Parse(node), life, uses).Text;
    }

    public async Task<TestNode> AddAsync(string name, bool disableDirect = false, string? server = null, HttpProxy? proxy = null, int threads = 2)
    {
        TestNode node = new(this, name, Path.Combine(root, name), FreePort(), disableDirect, server ?? ServerText, proxy, new TestLogs(name, output))
        {
            Threads = threads,

            // Of two nodes that only know each other, one has the other on its second thread.
            IsShifted = nodes.Count % 2 == 1,
        };
        nodes.Add(node);
        await node.StartAsync();
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestNode node in nodes)
        {
            await node.DisposeAsync();
        }

        if (Second is not null)
        {
            await Second.DisposeAsync();
        }

        if (server is not null)
        {
            await server.DisposeAsync();
        }

        Directory.Delete(root, recursive: true);
    }

    public static int FreePort()
    {
        // The same number must be free for TCP and UDP.
        while (true)
        {
            using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Any, 0));
            int port = ((IPEndPoint)udp.LocalEndPoint!).Port;
            using Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                tcp.Bind(new IPEndPoint(IPAddress.Any, port));
                return port;
            }
            catch (SocketException)
            {
                continue;
            }
        }
    }
}
