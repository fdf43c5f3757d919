using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Peers;
using EdgeMesh.Tunnel.PortMap;
using EdgeMesh.Tunnel.Relay;
using EdgeMesh.Tunnel.Streams;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel;

/// <summary>
/// The tunnel of one node: carries TCP connections and UDP flows to endpoints of other nodes, over the best path there is, and
/// serves the other nodes' in turn.
/// </summary>
public sealed class TunnelService : IAsyncDisposable
{
    private static readonly TimeSpan RescanPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewalRetry = TimeSpan.FromHours(1);
    private static readonly TimeSpan LoopPatience = TimeSpan.FromSeconds(3);

    /// <summary>A peer that was found restarted this soon is dialled once more: nothing had been sent.</summary>
    private static readonly TimeSpan SecondTry = TimeSpan.FromSeconds(1);

    private readonly TunnelOptions options;
    private readonly NodeIdentity identity;
    private readonly Func<TransportProtocol, IPEndPoint, bool> isLocalEndpoint;
    private readonly Func<NodeName, IReadOnlyList<IPAddress>> nodeAddresses;
    private readonly ILoggerFactory logs;
    private readonly ILogger log;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim addressesChanged = new(0, 1);
    private readonly List<Task> tasks = [];
    private Reactor[] reactors = [];
    private TunnelLoop? loop;
    private PortMapper? mapper;
    private volatile bool isStopped;

    /// <param name="options">What the operator says.</param>
    /// <param name="identity">Who this node is; stays the caller's.</param>
    /// <param name="isLocalEndpoint">Whether an endpoint is a current one of this node; called on the tunnel's threads.</param>
    /// <param name="nodeAddresses">Addresses of a node as its Node object says; called on the tunnel's threads.</param>
    /// <param name="logs">For the logger EdgeMesh.Tunnel.</param>
    public TunnelService(
        TunnelOptions options,
        NodeIdentity identity,
        Func<TransportProtocol, IPEndPoint, bool> isLocalEndpoint,
        Func<NodeName, IReadOnlyList<IPAddress>> nodeAddresses,
        ILoggerFactory logs)
    {
        this.options = options;
        this.identity = identity;
        this.isLocalEndpoint = isLocalEndpoint;
        this.nodeAddresses = nodeAddresses;
        this.logs = logs;
        log = logs.CreateLogger("EdgeMesh.Tunnel");
        ForwardTcp = ForwardTcpAsync;
        ForwardUdp = OpenFlow;
    }

    /// <summary>See <see cref="TcpForward"/>.</summary>
    public TcpForward ForwardTcp { get; }

    /// <summary>See <see cref="UdpForward"/>.</summary>
    public UdpForward ForwardUdp { get; }

    /// <summary>See <see cref="SocketWatch"/>. After the start.</summary>
    public IDisposable Watch(Socket socket, Action readable) =>
        First.Watch(socket, readable);

    /// <summary>See <see cref="PeerDistanceOf"/>.</summary>
    public PeerDistance DistanceOf(NodeName node) => loop?.Peers.Find(node)?.Distance ?? new PeerDistance(PeerTier.Unknown, default);

    /// <summary>The UDP port in use; 0 before the start.</summary>
    public int Port => loop?.PortNumber ?? 0;

    /// <summary>What peers tell a restart of this agent by; empty before the start.</summary>
    public Guid BootId => loop?.BootId ?? Guid.Empty;

    /// <summary>All peers met since the start. Waits for the tunnel's threads.</summary>
    public IReadOnlyList<PeerStatus> Peers => [.. AskAll(shard => TunnelReports.Peers(shard, loop!)).SelectMany(peers => peers)];

    /// <summary>All configured servers. Waits for the tunnel's thread.</summary>
    public IReadOnlyList<ServerStatus> Servers => loop is null ? [] : Ask(loop.Shards[0], _ => TunnelReports.Servers(loop)) ?? [];

    // For what is no peer's: servers, our own addresses, the proxy's sockets.
    private Reactor First => reactors.Length > 0 ? reactors[0] : throw new InvalidOperationException("the tunnel does not run");

    /// <summary>Opens the port and begins to connect to the servers; does not wait for them.</summary>
    /// <exception cref="MeshException">The options are wrong, QUIC's libraries are missing, or no socket can be had.</exception>
    public Task StartAsync(CancellationToken stop)
    {
        IReadOnlyList<ServerAddress> servers = ServerAddress.ParseAll(options.Servers);
        string libraries;
        try
        {
            libraries = QuicLibrary.EnsureLoaded();
        }
        catch (QuicUnavailableException fault)
        {
            throw new MeshException(MeshExit.Failed, fault.Message, fault);
        }

        reactors = [.. Enumerable.Range(0, options.Threads).Select(i => new Reactor(i == 0 ? "tunnel" : $"tunnel-{i}", log))];

        // A router that has restarted has cut our connections and forgotten our port: ask it again.
        loop = new TunnelLoop(
            options, identity, reactors, isLocalEndpoint, nodeAddresses, [.. servers.Select(s => s.Text)], () => mapper?.Renew(), log);
        foreach (Reactor reactor in reactors)
        {
            reactor.Start();
        }

        if (options.Port != 0 && loop.PortNumber != options.Port)
        {
            TunnelLog.PortTaken(log, options.Port, loop.PortNumber);
        }

        First.Post(static s => s.Loop.UseLocalAddresses(s.Found), (Loop: loop, Found: LocalAddresses.Scan()));
        ServerClients clients = new(options.StateDirectory, NewLinkAsync, DropLink, log);
        RelayLink[] links = [.. loop.Links];
        tasks.Add(Task.Run(() => clients.RunAsync(servers, links, NewClient, stopping.Token), CancellationToken.None));
        RelayClient NewClient(RelayLink link, ServerAddress server) => new(
            link, server, identity, options.SocketMark, options.HttpProxy, First, loop.ShardOf, clients.OnServers, Revoke, loop.OnRelayRoom, log);

        if (options is { MapPort: true, DisableDirect: false })
        {
            mapper = new PortMapper(
                (ushort)loop.PortNumber, options.SocketMark,
                found => First.Post(static s => s.Loop.UseMapping(s.Found), (Loop: loop, Found: found)), log);
            tasks.Add(Task.Run(() => mapper.RunAsync(stopping.Token), CancellationToken.None));
        }

        NetworkChange.NetworkAddressChanged += OnAddressChanged;
        NetworkChange.NetworkAvailabilityChanged += OnLinkChanged;
        tasks.Add(Task.Run(() => WatchAddressesAsync(stopping.Token), CancellationToken.None));
        tasks.Add(Task.Run(() => RenewAsync(clients, stopping.Token), CancellationToken.None));
        TunnelLog.Started(log, options.Self.Value, loop.PortNumber, libraries);
        return Task.CompletedTask;
    }

    /// <summary>Measures the way to a peer's agent, connecting to it first if need be.</summary>
    /// <exception cref="MeshException">The peer cannot be reached.</exception>
    public async Task<PingResult> PingAsync(NodeName node, CancellationToken stop)
    {
        if (loop is null || isStopped)
        {
            throw new MeshException(MeshExit.Unreachable, "the tunnel does not run");
        }

        PingStream ping = new();
        loop.Open(node, ping);
        long roundTrip = await ping.Completion.WaitAsync(stop).ConfigureAwait(false);
        PingResult? result = roundTrip < 0 ? null : Ask(loop.Peers.Get(node).Shard, _ => TunnelReports.Ping(loop, loop.Peers.Get(node), roundTrip));
        return result ?? throw new MeshException(
            MeshExit.Unreachable, $"node '{node}' cannot be reached: it is connected to none of our servers and answers at no known address");
    }

    /// <summary>Looks at what stands between this node, its servers and its peers; tries every TCP port of every server.</summary>
    /// <exception cref="MeshException">The tunnel does not run.</exception>
    public async Task<NetworkCheck> CheckNetworkAsync(CancellationToken stop)
    {
        string? mapped = mapper?.Current is { } held ? $"{held.External} by {held.Protocol}" : null;
        int mtu = AskAll(TunnelReports.DirectMtus).SelectMany(found => found).DefaultIfEmpty().Min();
        NetworkCheck check = (loop is null ? null : Ask(loop.Shards[0], _ => NetworkChecker.Read(loop, mapped, mtu))) ?? throw new MeshException(MeshExit.Unreachable, "the tunnel does not run");
        return check with { Servers = await Task.WhenAll(check.Servers.Select(server => NetworkChecker.TryAsync(server, options.SocketMark, options.HttpProxy, stop))).ConfigureAwait(false) };
    }

    public async ValueTask DisposeAsync()
    {
        if (isStopped)
        {
            return;
        }

        isStopped = true;
        NetworkChange.NetworkAddressChanged -= OnAddressChanged;
        NetworkChange.NetworkAvailabilityChanged -= OnLinkChanged;
        if (loop is not null)
        {
            loop.BeginStop();
            SaveBook();
            foreach (Shard shard in loop.Shards)
            {
                await RunInLoopAsync(shard.Reactor, shard.Dispose).ConfigureAwait(false);
            }
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (Reactor reactor in reactors)
        {
            await reactor.DisposeAsync().ConfigureAwait(false);
        }

        stopping.Dispose();
        addressesChanged.Dispose();
        mapper?.Dispose();
    }

    private async ValueTask<TcpForwardResult> ForwardTcpAsync(DialTarget target, Socket client, ReadOnlyMemory<byte> replay, CancellationToken stop)
    {
        long began = Reactor.Clock();
        while (true)
        {
            if (loop is null || isStopped)
            {
                return new TcpForwardResult(DialStatus.PeerUnreachable, replay, 0, 0);
            }

            Reactor reactor = loop.ReactorOf(target.Node);
            ForwardedTcp forwarded = new(reactor, target, client, replay);
            loop.Open(target.Node, forwarded);
            TcpForwardResult result;
            await using (stop.UnsafeRegister(
                static s => (((Reactor, ForwardedTcp))s!).Item1.Post(static f => f.Abort(), (((Reactor, ForwardedTcp))s).Item2), (reactor, forwarded)).ConfigureAwait(false))
            {
                result = await forwarded.Completion.ConfigureAwait(false);
            }

            if (result.Status == DialStatus.PeerUnreachable && !stop.IsCancellationRequested
                && Reactor.Clock() - began < SecondTry.TotalNanoseconds)
            {
                replay = result.Unsent;
                began = 0;
                continue;
            }

            TunnelMetrics.Dialled(result.Status);
            return result;
        }
    }

    private UdpFlow OpenFlow(DialTarget target, DatagramReceiver receiver) =>
        (loop ?? throw new InvalidOperationException("the tunnel does not run")).Peers.Get(target.Node).Flows.Open(target, receiver);

    /// <summary>A signed revocation list, from wherever.</summary>
    internal void Revoke(byte[] list) => Revoke("the operator", list);

    private void Revoke(RelayLink link, byte[] list) => Revoke(link.Name, list);

    private void Revoke(string source, byte[] list) => loop!.Revoke(list, source);

    private async Task<RelayLink> NewLinkAsync(string name)
    {
        RelayLink? made = null;
        await RunInLoopAsync(First, () => made = loop!.AddLink(name)).ConfigureAwait(false);
        return made ?? throw new InvalidOperationException("the tunnel's thread does not answer");
    }

    private void DropLink(RelayLink link) => First.Post(static s => s.Loop.RemoveLink(s.Link), (Loop: loop!, Link: link));

    // On Linux told for every change of a link and of the main routing table, 150 ms after the last one.
    private void OnLinkChanged(object? sender, NetworkAvailabilityEventArgs e) => OnAddressChanged(sender, e);

    private void OnAddressChanged(object? sender, EventArgs e)
    {
        try
        {
            addressesChanged.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // One pending signal is enough.
        }
    }

    // The kernel tells changes; the pause catches what it does not. The address book is written down on the way.
    private async Task WatchAddressesAsync(CancellationToken stop)
    {
        LocalAddresses known = LocalAddresses.Scan();
        while (true)
        {
            _ = await addressesChanged.WaitAsync(RescanPause, stop).ConfigureAwait(false);
            LocalAddresses found = LocalAddresses.Scan();
            if (!found.SameAs(known))
            {
                known = found;
                First.Post(static s => s.Loop.UseLocalAddresses(s.Found), (Loop: loop!, Found: found));
                mapper?.Renew();
            }

            identity.Clock.Keep();
            SaveBook();
        }
    }

    private async Task RenewAsync(ServerClients clients, CancellationToken stop)
    {
        while (true)
        {
            TimeSpan left = identity.RenewAt - identity.Clock.Now;
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left < RenewalRetry ? left : RenewalRetry, stop).ConfigureAwait(false);
                continue;
            }

            try
            {
                await identity.RenewAsync(clients.Addresses, options.SocketMark, options.HttpProxy, stop).ConfigureAwait(false);
                loop!.UseCredentials();
            }
            catch (Exception fault) when (fault is MeshException or IOException or UnauthorizedAccessException)
            {
                TunnelLog.RenewalFailed(log, identity.NotAfter, fault.Message);
                await Task.Delay(RenewalRetry * (0.5 + Random.Shared.NextDouble()), stop).ConfigureAwait(false);
            }
        }
    }

    private void SaveBook() => loop?.SaveBook(AskAll(TunnelReports.DirectAddresses).SelectMany(found => found));

    private static async Task RunInLoopAsync(Reactor reactor, Action action)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Post(() =>
        {
            action();
            done.SetResult();
        });
        await done.Task.WaitAsync(LoopPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private IReadOnlyList<T> AskAll<T>(Func<Shard, T> question)
        where T : class => loop is null ? [] : [.. loop.Shards.Select(shard => Ask(shard, question)).OfType<T>()];

    // In that shard's loop. Operators ask rarely; a loop answers within a turn.
    private static T? Ask<T>(Shard shard, Func<Shard, T> question)
        where T : class?
    {
        if (shard.Reactor.IsInLoop)
        {
            return question(shard);
        }

        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        shard.Reactor.Post(() => answer.TrySetResult(question(shard)));
        return answer.Task.Wait(LoopPatience) ? answer.Task.Result : null;
    }
}
