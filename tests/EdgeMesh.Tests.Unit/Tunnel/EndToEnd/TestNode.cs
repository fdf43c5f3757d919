using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>One agent's tunnel. Its endpoints are loopback sockets of the test.</summary>
internal sealed class TestNode(TestMesh mesh, string name, string state, int port, bool disableDirect, string server, HttpProxy? proxy, TestLogs logs) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<IPEndPoint, bool> endpoints = new();
    private NodeIdentity? identity;

    public NodeName Name { get; } = NodeName.Parse(name);

    public TunnelService Tunnel { get; private set; } = null!;

    public NodeIdentity Identity => identity!;

    public int Port => port;

    public required int Threads { get; init; }

    /// <summary>The first peer belongs to the second thread.</summary>
    public required bool IsShifted { get; init; }

    /// <summary>Ports to which this node's datagrams vanish, whatever the address.</summary>
    public ConcurrentDictionary<int, bool> Blocked { get; } = new();

    public async Task StartAsync()
    {
        identity = await NodeIdentity.LoadOrEnrollAsync(
            new EnrollOptions { NodeName = Name, StateDirectory = state, Servers = [server], Token = mesh.NewToken(), SocketMark = null, HttpProxy = proxy },
            TimeProvider.System,
            logs,
            CancellationToken.None);
        Tunnel = new TunnelService(
            new TunnelOptions
            {
                Self = Name,
                Port = port,
                Servers = [server],
                StateDirectory = state,
                HttpProxy = proxy,
                DisableDirect = disableDirect,
                Threads = Threads,
                Advertise = [new IPEndPoint(IPAddress.Loopback, port)],
                Firewall = address => Blocked.ContainsKey(address.Port),
            },
            identity,
            (_, endpoint) => endpoints.ContainsKey(endpoint),
            _ => [],
            logs);
        await Tunnel.StartAsync(CancellationToken.None);
        if (IsShifted)
        {
            DialTarget nobody = new(NodeName.Parse("nobody"), TransportProtocol.Udp, new IPEndPoint(IPAddress.Loopback, 9), new ServiceName("default", "none"), new IPEndPoint(IPAddress.Loopback, 9));
            Tunnel.ForwardUdp(nobody, _ => { }).Dispose();
        }
    }

    public async Task StopAsync()
    {
        await Tunnel.DisposeAsync();
        identity!.Dispose();
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public void Own(IPEndPoint endpoint) => endpoints[endpoint] = true;

    public void Disown(IPEndPoint endpoint) => endpoints.TryRemove(endpoint, out _);

    public async Task<PeerStatus> UntilAsync(TestNode other, Func<PeerStatus, bool> holds)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        PeerStatus? last = null;
        while (!limit.IsCancellationRequested)
        {
            last = PeerOf(other);
            if (last is not null && holds(last))
            {
                return last;
            }

            await Task.Delay(10, CancellationToken.None);
        }

        throw new TimeoutException($"{Name} sees {last}");
    }

    public async Task UntilServerAsync(Func<ServerStatus, bool> holds)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (!holds(Tunnel.Servers[0]))
        {
            Assert.False(limit.IsCancellationRequested, $"{Name} sees {Tunnel.Servers[0]}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Waits until exactly so many servers are connected.</summary>
    public async Task UntilServersAsync(int count)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        while (Tunnel.Servers.Count(s => s.Connected) != count)
        {
            Assert.False(limit.IsCancellationRequested, $"{Name} sees {string.Join(", ", Tunnel.Servers)}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public PeerStatus? PeerOf(TestNode other) => Tunnel.Peers.FirstOrDefault(p => p.Node == other.Name);

    /// <summary>A client connection into the tunnel: the returned stream is the client's end.</summary>
    public async Task<(NetworkStream Client, Socket Accepted, Task<TcpForwardResult> Result)> DialAsync(TestNode to, IPEndPoint endpoint)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task connecting = client.ConnectAsync(listener.LocalEndPoint!);
        Socket accepted = listener.Accept();
        await connecting;
        return (new NetworkStream(client, ownsSocket: true), accepted, Tunnel.ForwardTcp(Target(to, endpoint, TransportProtocol.Tcp), accepted, default, CancellationToken.None).AsTask());
    }

    public UdpFlow Flow(TestNode to, IPEndPoint endpoint, DatagramReceiver receiver) =>
        Tunnel.ForwardUdp(Target(to, endpoint, TransportProtocol.Udp), receiver);

    public async ValueTask DisposeAsync() => await StopAsync();

    private static DialTarget Target(TestNode to, IPEndPoint endpoint, TransportProtocol protocol) =>
        new(to.Name, protocol, endpoint, new ServiceName("default", "video"), new IPEndPoint(IPAddress.Loopback, 40000));
}
