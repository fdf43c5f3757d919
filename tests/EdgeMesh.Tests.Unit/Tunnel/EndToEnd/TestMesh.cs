using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Server;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>A real server and as many real agents' tunnels as a test wants, on loopback.</summary>
internal sealed class TestMesh : IAsyncDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tunnel-mesh-").FullName;
    private readonly List<TestNode> nodes = [];
    private ServerService? server;

    private readonly ITestOutputHelper output;

    private TestMesh(int serverPort, ITestOutputHelper output)
    {
        ServerPort = serverPort;
        this.output = output;
    }

    public int ServerPort { get; }

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

    public string NewToken() => NewToken(TimeSpan.FromHours(1), 10, null);

    public string NewToken(TimeSpan life, int uses, string? node)
    {
        using Registry registry = new(Path.Combine(root, "server"), TimeProvider.System);
        return registry.CreateToken(node is null ? null : NodeName.Parse(node), life, uses).Text;
    }

    public async Task<TestNode> AddAsync(string name, bool disableDirect = false)
    {
        TestNode node = new(this, name, Path.Combine(root, name), FreePort(), disableDirect, new TestLogs(name, output));
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
