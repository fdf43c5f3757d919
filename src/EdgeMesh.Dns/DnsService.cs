using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.NetworkInformation;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Dns;

/// <summary>The DNS server of a node: cluster names from the model, everything else from upstream.</summary>
public sealed class DnsService : IAsyncDisposable
{
    // Watching by reading: resolv.conf is often a link into a directory that comes and goes, which inotify does not follow.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    // Queries over UDP that may wait for upstream at once; each holds its datagram and a few small objects.
    private const int MaxWaiting = 4096;

    private readonly SnapshotCell cell;
    private readonly DnsOptions options;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly ServiceIndex index = new();
    private readonly AnswerCache cache;
    private readonly UpstreamRoutes routes;
    private readonly ClusterZones zones;
    private readonly ClientGate gate;
    private readonly Resolver resolver;
    private readonly DnsEngine engine;
    private readonly DnsTracer tracer;
    private readonly TaskGroup waiting = new(MaxWaiting);
    private readonly TaskGroup connections;
    private readonly ClientShare shares;
    private readonly CancellationTokenSource stopping = new();
    private readonly List<IAsyncDisposable> listeners = [];
    private readonly List<Task> loops = [];
    private readonly NetworkAddressChangedEventHandler networkChanged;
    private readonly NetworkAvailabilityChangedEventHandler linkChanged;
    private ImmutableArray<IPEndPoint> listening = [];
    private ImmutableArray<IPEndPoint> missing = [];
    private string? resolvConf;
    private bool isStarted;

    public DnsService(SnapshotCell cell, DnsOptions options, TimeProvider time, ILoggerFactory logs)
        : this(cell, options, time, logs, exchange: null)
    {
    }

    internal DnsService(SnapshotCell cell, DnsOptions options, TimeProvider time, ILoggerFactory logs, UpstreamExchange? exchange)
    {
        options.Check();
        this.cell = cell;
        this.options = options;
        this.time = time;
        log = logs.CreateLogger("EdgeMesh.Dns");
        DnsClock clock = new(time);
        exchange ??= new SocketExchange(new SocketMark(options.SocketMark, log)).ExchangeAsync;
        cache = new AnswerCache(options.CacheBytes, options.ServeStale);
        UpstreamSet NewSet() => new(exchange, options.ListenAddresses, options.UpstreamTimeout, clock, time, log);
        routes = new UpstreamRoutes(NewSet(), [.. options.StubDomains.Select(stub => new StubRoute(stub, NewSet()))]);
        resolver = new Resolver(routes, cache, options.StaleAfter, options.MaxQuestions, clock, time);
        zones = new ClusterZones([.. options.ClusterDomains.Select((domain, i) => new ClusterZone(
            index,
            domain,
            i == 0 ? options.AliasZones : [],
            options.ListenAddresses.Select(address => address.Address).Distinct(),
            (uint)options.Ttl.TotalSeconds))]);
        gate = new ClientGate(options.RecursionFor, options.ClientRate);
        engine = new DnsEngine(new DnsCore(zones, cache, routes.IsLoopProbe), resolver, gate, clock);
        DnsMetrics.ObserveUpstreams(ObserveUpstreams);
        tracer = new DnsTracer(zones, routes, cache, engine, clock);
        connections = new TaskGroup(options.MaxConnections);
        shares = new ClientShare(Math.Max(1, options.MaxConnections / 4));
        networkChanged = (_, _) => OnNetworkChanged();

        // On Linux also for every change of a link and of the main routing table: the node has another uplink with the addresses it had.
        linkChanged = (_, _) => OnNetworkChanged();
    }

    /// <summary>0 while a server's last attempt failed or it leads back here, else 1.</summary>
    private IEnumerable<Measurement<int>> ObserveUpstreams() => routes.Current.Select(upstream => new Measurement<int>(
        upstream is { Failures: 0, IsLoop: false } ? 1 : 0, new KeyValuePair<string, object?>("server", upstream.Server.ToString())));

    public DnsStatus Status => new(
        index.IsSynced,
        index.Count,
        listening,
        missing,
        [.. routes.Current.Select(upstream => new UpstreamStatus(
            upstream.Server,
            upstream.Latency is { } latency ? TimeSpan.FromMilliseconds(latency) : null,
            upstream.Failures,
            upstream.IsLoop))],
        cache.Count,
        cache.Bytes);

    private void OnNetworkChanged()
    {
        routes.ForgetMeasurements();
        gate.ReadOwnAddresses();
    }

    /// <summary>How the server answers a question of this machine, step by step.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The record type's number.</param>
    /// <exception cref="MeshException">That is no name.</exception>
    public Task<IReadOnlyList<DnsStep>> TraceAsync(string name, ushort type) => tracer.TraceAsync(name, type);

    /// <summary>Listens and returns; an address that is not on this machine yet is taken as soon as it is.</summary>
    /// <exception cref="MeshException">A listen address is taken by another program or forbidden.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        isStarted = true;
        NetworkChange.NetworkAddressChanged += networkChanged;
        NetworkChange.NetworkAvailabilityChanged += linkChanged;
        gate.ReadOwnAddresses();
        loops.Add(FollowSnapshotsAsync());
        await ReadUpstreamsAsync(stop).ConfigureAwait(false);
        missing = [.. options.ListenAddresses];
        BindMissing(throws: true);
        foreach (IPEndPoint address in missing)
        {
            DnsLog.ListenLater(log, address, "the address is not on this machine");
        }

        loops.Add(TickAsync());
    }

    /// <summary>Stops in the order unbind, drain, abort.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isStarted)
        {
            NetworkChange.NetworkAddressChanged -= networkChanged;
            NetworkChange.NetworkAvailabilityChanged -= linkChanged;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(loops).ConfigureAwait(false);
        foreach (IAsyncDisposable listener in listeners)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }

        await resolver.DisposeAsync().ConfigureAwait(false);
        await waiting.CloseAsync().ConfigureAwait(false);
        await connections.CloseAsync().ConfigureAwait(false);
        stopping.Dispose();
    }

    private async Task FollowSnapshotsAsync()
    {
        using SnapshotSubscription subscription = cell.Subscribe();
        try
        {
            while (true)
            {
                MeshChange change = await subscription.NextAsync(stopping.Token).ConfigureAwait(false);
                try
                {
                    index.Apply(change);
                }
                catch (Exception e)
                {
                    // A fault of ours with one change must not leave the node with yesterday's names.
                    DnsLog.ChangeFailed(log, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task TickAsync()
    {
        using PeriodicTimer timer = new(Tick, time);
        Task probe = routes.ProbeLoopsAsync(stopping.Token);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false))
            {
                BindMissing(throws: false);
                if (await ReadUpstreamsAsync(stopping.Token).ConfigureAwait(false))
                {
                    await probe.ConfigureAwait(false);
                    probe = routes.ProbeLoopsAsync(stopping.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }

        await probe.ConfigureAwait(false);
    }

    private void BindMissing(bool throws)
    {
        foreach (IPEndPoint address in missing)
        {
            try
            {
                if (ListenSockets.TryBind(address) is { } sockets)
                {
                    Listen(sockets);
                    missing = missing.Remove(address);
                }
            }
            catch (MeshException e) when (!throws)
            {
                DnsLog.ListenLater(log, address, e.Message);
            }
        }
    }

    private void Listen(ListenSockets sockets)
    {
        UdpListener udp = new(sockets.Udp, engine, waiting, log);
        TcpListener tcp = new(sockets.Tcp, engine, connections, shares, options.IdleTimeout, time, log);
        listeners.Add(udp);
        listeners.Add(tcp);
        udp.Start(options.Threads);
        tcp.Start();
        listening = listening.Add(sockets.Address);
        DnsLog.Listening(log, sockets.Address);
    }

    // True if the servers are others than before. The search list is read even where the servers are given.
    private async ValueTask<bool> ReadUpstreamsAsync(CancellationToken stop)
    {
        bool isFirst = resolvConf is null;
        bool isGiven = options.Upstreams.Count > 0;
        if (isGiven && isFirst)
        {
            routes.Default.Set(options.Upstreams);
        }

        string text;
        try
        {
            text = await File.ReadAllTextAsync(options.ResolvConfPath, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (resolvConf is not "?")
            {
                resolvConf = "?";
                if (!isGiven)
                {
                    DnsLog.ResolvConfUnreadable(log, options.ResolvConfPath, e.Message);
                }
            }

            return isGiven && isFirst;
        }

        if (text == resolvConf)
        {
            return false;
        }

        resolvConf = text;
        zones.SetSearch(ResolvConf.ParseSearch(text));
        if (!isGiven)
        {
            routes.Default.Set(ResolvConf.Parse(text));
        }

        return !isGiven || isFirst;
    }
}
