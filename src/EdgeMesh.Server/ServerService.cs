using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Server.Http;
using EdgeMesh.Server.Join;
using EdgeMesh.Server.Relay;
using EdgeMesh.Server.Sessions;
using EdgeMesh.Server.State;

using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server;

/// <summary>
/// The role <c>edgemesh server</c>: enrolment, presence, STUN, relay. Starts registry, sockets, HTTPS in this order; stops in
/// the order unbind, drain, close.
/// </summary>
public sealed class ServerService(ServerOptions options, TimeProvider time, ILoggerFactory logs) : IAsyncDisposable
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CertificateCheckEvery = TimeSpan.FromHours(1);

    private readonly ILogger log = logs.CreateLogger("EdgeMesh.Server");
    private readonly Registry registry = new(options.StateDirectory, time);
    private readonly SessionTable sessions = new(options.Limits.MaxAgents);
    private readonly QueueBudget budget = new(options.Limits.TotalQueue);
    private readonly RelayCounters counters = new();
    private readonly HandshakeGate gate = new(HandshakeGate.DefaultPlaces, time);
    private readonly CancellationTokenSource stopping = new();

    private Reactor? reactor;
    private UdpRelay? udp;
    private SessionHub? hub;
    private HttpFront? front;
    private HttpServer? http;
    private ServerAddresses? addresses;
    private LiveServer? live;
    private ServerPorts? ports;
    private DateTimeOffset startedAt;
    private RegistryReplica? replica;
    private string self = "";
    private Task watching = Task.CompletedTask;
    private Task copying = Task.CompletedTask;
    private bool isLooping;
    private int isDisposed;

    /// <summary>Valid after <see cref="StartAsync"/>. Any thread.</summary>
    public ServerStatusReport Status => new(
        [.. ports!.EndPoints], ports.SecondPort, [.. addresses!.Tcp], Convert.ToHexStringLower(registry.Authority.Fingerprint),
        registry.First, [.. hub!.Servers.Where(server => server != self)], startedAt,
        [.. sessions.All.OrderBy(session => session.Node).Select(Describe)],
        counters.UdpBytes, counters.UdpFrames, counters.SocketBytes, counters.SocketFrames, counters.StunAnswers, DropsByReason(),
        options.Limits, udp!.Shares.Share, budget.Used, gate.Abandoned);

    /// <exception cref="MeshException">Something of the options cannot be had: the line says what and what to do. Dispose then.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        if (options.Join is null)
        {
            // Before anything is bound: a damaged registry is the first thing to hear of.
            registry.Open();
        }

        startedAt = time.GetUtcNow();
        reactor = new Reactor("edgemesh-relay", log);
        udp = new UdpRelay(reactor, sessions, options.Limits, counters, log);
        ports = ServerPorts.Bind(options, udp);
        addresses = ports.Advertise(options.Advertise);
        await JoinAsync(addresses, stop).ConfigureAwait(false);
        string id = ServerId();
        self = $"{id}={addresses.Tcp[0]}";
        hub = new SessionHub(registry, sessions, udp, options.Limits, budget, counters, addresses, id, time, log);
        front = new HttpFront(registry, hub, replica, self, new EnrolLimiter(time), time, log);
        http = new HttpServer(
            registry.Authority, front, new FrontConnections(options.ProxyProtocolFrom, log), gate, options.Limits.MaxAgents, logs);
        TakeCertificate(http, addresses);
        hub.Check();
        UseServers(hub);
        reactor.Start();
        isLooping = true;
        await http.StartAsync(ports.TakeSockets(), stop).ConfigureAwait(false);
        live = new LiveServer(counters, sessions, udp.Shares, budget, gate);
        ServerMetrics.Add(live);
        watching = WatchAsync(hub, http, addresses);
        if (replica is not null)
        {
            copying = replica.RunAsync(
                () =>
                {
                    hub.Check();
                    hub.UseServers(replica.Servers);
                },
                () => RenewCertificate(http, addresses),
                stopping.Token);
        }

        ServerLog.Serving(log, string.Join(", ", ports.EndPoints), ports.SecondPort, Convert.ToHexStringLower(registry.Authority.Fingerprint));
    }

    /// <summary>Tells agents to use another server if they have one; those that have none stay. Any thread.</summary>
    public void Drain() => hub?.Drain();

    /// <summary>Connected agents, and those of them of which something was relayed within the last second. Any thread.</summary>
    public (int Connected, int Relaying) Load
    {
        get
        {
            long since = Reactor.Clock() - 1_000_000_000;
            return (sessions.Count, sessions.All.Count(session => session.RelayedAt > since));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0)
        {
            return;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        await copying.ConfigureAwait(false);
        if (live is not null)
        {
            ServerMetrics.Remove(live);
        }

        if (hub is not null)
        {
            ServerLog.Stopping(log, sessions.Count);
            hub.Drain();
            hub.CloseAll();
        }

        if (http is not null)
        {
            await http.DisposeAsync().ConfigureAwait(false);
        }

        ports?.Dispose();
        udp?.Dispose();
        if (reactor is not null)
        {
            // The loop closes its sockets; where the start failed it has not run yet.
            if (!isLooping)
            {
                reactor.Start();
            }

            await reactor.DisposeAsync().ConfigureAwait(false);
        }

        gate.Dispose();
        front?.Dispose();
        registry.Dispose();
        stopping.Dispose();
    }

    private async Task WatchAsync(SessionHub presence, HttpServer server, ServerAddresses reached)
    {
        using PeriodicTimer timer = new(CheckEvery, time);
        long certificateCheckedAt = time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false))
            {
                presence.Check();
                UseServers(presence);
                if (time.GetElapsedTime(certificateCheckedAt) >= CertificateCheckEvery)
                {
                    certificateCheckedAt = time.GetTimestamp();
                    RenewCertificate(server, reached);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    // The first start with --join shows the token; later ones have what that gave.
    private async Task JoinAsync(ServerAddresses reached, CancellationToken stop)
    {
        if (options.Join is { } wanted && !registry.HasJoined)
        {
            string token = options.JoinToken ?? throw new MeshException(
                MeshExit.Usage,
                $"--join {wanted}: this server has not joined yet and no token is given: run 'edgemesh token create --for-server' on {wanted} and pass it with --token-file FILE or in EDGEMESH_TOKEN");
            await RegistryReplica.JoinAsync(registry, wanted, token, reached, options.StateDirectory, time, log, stop).ConfigureAwait(false);
        }

        if (options.Join is not null)
        {
            registry.BeginJoin(options.Join);
            registry.Open();
        }

        if (registry.First is { } first)
        {
            replica = new RegistryReplica(registry, first, reached, options.StateDirectory, time, log);
        }
    }

    private string ServerId()
    {
        using System.Security.Cryptography.ECDsa key = registry.ServerKey();
        return ServerRecord.IdOf(CertificateAuthority.KeyName(new PublicKey(key)));
    }

    private void UseServers(SessionHub presence)
    {
        try
        {
            presence.UseServers(replica?.Servers ?? [self, .. registry.JoinedServers()]);
        }
        catch (MeshException fault)
        {
            ServerLog.RegistryUnreadable(log, fault.Message);
        }
    }

    private void RenewCertificate(HttpServer server, ServerAddresses reached)
    {
        try
        {
            TakeCertificate(server, reached);
        }
        catch (MeshException fault)
        {
            ServerLog.RegistryUnreadable(log, fault.Message);
        }
    }

    private void TakeCertificate(HttpServer server, ServerAddresses reached)
    {
        X509Certificate2 certificate = registry.ServerCertificate(reached.Hosts);
        server.UseCertificate(certificate);
        ServerLog.CertificateTaken(log, certificate.NotAfter);
    }

    private AgentStatus Describe(Session session) => new(
        session.Node, session.From, session.Bound?.Address.ToEndPoint(), session.UsableLeg(Reactor.Clock()) is not null, session.Outbound.Bytes);

    private ImmutableSortedDictionary<string, long> DropsByReason() => Enum.GetValues<DropReason>()
        .Where(reason => counters.Dropped(reason) > 0)
        .ToImmutableSortedDictionary(ServerMetrics.NameOf, counters.Dropped);
}
