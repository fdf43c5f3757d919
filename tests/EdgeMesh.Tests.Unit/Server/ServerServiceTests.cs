using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;

using EdgeMesh.Model;
using EdgeMesh.Server;

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class ServerServiceTests : IDisposable
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private readonly TempState state = new();

    public void Dispose() => state.Dispose();

    [Theory]
    [InlineData(ProtocolType.Tcp)]
    [InlineData(ProtocolType.Udp)]
    public async Task TellsWhichPortIsTaken(ProtocolType protocol)
    {
        using Socket taken = new(AddressFamily.InterNetwork, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram, protocol);

        // An address of its own: on 127.0.0.1 another test may hold the same number of the other protocol.
        taken.Bind(new IPEndPoint(IPAddress.Parse("127.83.19.7"), 0));
        if (protocol == ProtocolType.Tcp)
        {
            taken.Listen();
        }

        IPEndPoint wanted = (IPEndPoint)taken.LocalEndPoint!;
        MeshException fault = await FaultAsync(new ServerOptions { StateDirectory = state.Root, Listen = [wanted], SecondUdpPort = 0 });
        Assert.Equal(MeshExit.Failed, fault.Exit);
        Assert.Contains($"--listen {wanted} ({protocol.ToString().ToUpperInvariant()})", fault.Message, StringComparison.Ordinal);
        Assert.Contains("ss -lnp", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TellsThatAnAddressIsNotThisHosts()
    {
        MeshException fault = await FaultAsync(new ServerOptions { StateDirectory = state.Root, Listen = [new IPEndPoint(IPAddress.Parse("192.0.2.1"), 20006)] });
        Assert.Contains("192.0.2.1:20006", fault.Message, StringComparison.Ordinal);
        Assert.Contains("no such address", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mesh.example.org:notaport")]
    [InlineData("mesh.example.org:0")]
    [InlineData("two words")]
    [InlineData("https://mesh.example.org")]
    public async Task RefusesAnAdvertisedAddressThatIsNone(string given)
    {
        MeshException fault = await FaultAsync(new ServerOptions { StateDirectory = state.Root, Listen = [AnyPort], SecondUdpPort = 0, Advertise = [given] });
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Contains($"--advertise {given}", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AsksForAnAdvertisedAddressWhereItListensOnAll()
    {
        MeshException fault = await FaultAsync(new ServerOptions { StateDirectory = state.Root, Listen = [new IPEndPoint(IPAddress.Any, 0)], SecondUdpPort = 0 });
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Contains("--advertise", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AdvertisesHostsWithTheirPorts()
    {
        await using ServerService service = new(
            new ServerOptions { StateDirectory = state.Root, Listen = [AnyPort], SecondUdpPort = 0, Advertise = ["mesh.example.org", "192.0.2.7:443", "2001:db8::1", "[2001:db8::2]:443"] },
            TimeProvider.System, NullLoggerFactory.Instance);
        await service.StartAsync(CancellationToken.None);
        int port = service.Status.Listen[0].Port;
        Assert.Equal([$"mesh.example.org:{port}", "192.0.2.7:443", $"[2001:db8::1]:{port}", "[2001:db8::2]:443"], service.Status.Advertise.ToArray());
    }

    [Fact]
    public async Task FreesItsPortsAndKeepsItsNodesWhenItStops()
    {
        IPEndPoint endPoint;
        ServerOptions options = new() { StateDirectory = state.Root, Listen = [AnyPort], SecondUdpPort = 0 };
        await using (ServerService first = new(options, TimeProvider.System, NullLoggerFactory.Instance))
        {
            await first.StartAsync(CancellationToken.None);
            endPoint = first.Status.Listen[0];
        }

        await using ServerService second = new(options with { Listen = [endPoint] }, TimeProvider.System, NullLoggerFactory.Instance);
        await second.StartAsync(CancellationToken.None);
        Assert.Equal(endPoint, second.Status.Listen[0]);
    }

    [Fact]
    public async Task LetsGoOfAgentsThatAreSilentForAMinute()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ServerFixture server = await ServerFixture.StartAsync(time);
        TestAgent silent = await server.ConnectedAsync("edge1");
        TestAgent alive = await server.ConnectedAsync("edge2");
        time.Advance(TimeSpan.FromSeconds(50));
        await alive.PingAsync();
        await silent.SendRawAsync([], WebSocketMessageType.Binary);
        await alive.PingAsync();
        Assert.Equal(2, server.Service.Status.Agents.Length);

        time.Advance(TimeSpan.FromSeconds(50));
        await alive.PingAsync();
        time.Advance(TimeSpan.FromSeconds(15));
        await Assert.ThrowsAnyAsync<Exception>(silent.ReceiveTextAsync);
        await alive.PingAsync();
    }

    private static async Task<MeshException> FaultAsync(ServerOptions options)
    {
        await using ServerService service = new(options, TimeProvider.System, NullLoggerFactory.Instance);
        return await Assert.ThrowsAsync<MeshException>(() => service.StartAsync(CancellationToken.None));
    }
}
