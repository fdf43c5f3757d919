using System.Net;

using EdgeMesh.Model;
using EdgeMesh.Server;
using EdgeMesh.Tunnel.Wire;

using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A real server on loopback with free ports, and raw clients for it.</summary>
internal sealed class ServerFixture : IAsyncDisposable
{
    private readonly List<IDisposable> owned = [];

    private ServerFixture(TimeProvider time, IReadOnlyList<IPNetwork> proxyProtocolFrom, RelayLimits limits)
    {
        Service = new ServerService(
            new ServerOptions
            {
                StateDirectory = State.Root,
                Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
                SecondUdpPort = 0,
                ProxyProtocolFrom = proxyProtocolFrom,
                Limits = limits,
            },
            time,
            NullLoggerFactory.Instance);
        Registry = new Registry(State.Root, time);
    }

    public TempState State { get; } = new();

    public ServerService Service { get; }

    /// <summary>Another process's view of the state directory: what the operator's verbs use.</summary>
    public Registry Registry { get; }

    public IPEndPoint EndPoint => Service.Status.Listen[0];

    public static async Task<ServerFixture> StartAsync(
        TimeProvider? time = null, IReadOnlyList<IPNetwork>? proxyProtocolFrom = null, RelayLimits? limits = null)
    {
        ServerFixture fixture = new(time ?? TimeProvider.System, proxyProtocolFrom ?? [], limits ?? new RelayLimits());
        await fixture.Service.StartAsync(CancellationToken.None);
        return fixture;
    }

    public string Token(NodeName? node = null, int uses = 100) => Registry.CreateToken(node, TimeSpan.FromHours(1), uses).Text;

    public TestAgent Agent(string node)
    {
        TestAgent agent = new(NodeName.Parse(node), EndPoint, Registry.Authority.Fingerprint);
        owned.Add(agent);
        return agent;
    }

    public async Task<TestAgent> ConnectedAsync(string node)
    {
        TestAgent agent = Agent(node);
        await agent.EnrollAndConnectAsync(Token());
        return agent;
    }

    /// <summary>A UDP leg for a connected agent: bound, and the agent has said so.</summary>
    public async Task<TestLeg> BoundAsync(TestAgent agent)
    {
        TestLeg leg = Leg(agent);
        await leg.HelloAsync();
        await agent.SendSignalAsync(new SignalMessage { Type = SignalMessage.UdpLeg, Bound = true });
        await agent.PingAsync();
        return leg;
    }

    public TestLeg Leg(TestAgent agent)
    {
        TestLeg leg = new(agent, EndPoint);
        owned.Add(leg);
        return leg;
    }

    public long Dropped(string reason) => Service.Status.Dropped.GetValueOrDefault(reason);

    public async ValueTask DisposeAsync()
    {
        owned.ForEach(one => one.Dispose());
        await Service.DisposeAsync();
        Registry.Dispose();
        State.Dispose();
    }
}
