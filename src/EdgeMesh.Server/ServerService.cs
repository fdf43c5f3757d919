using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Server.Http;
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
    private readonly SessionTable sessions = new();
    private readonly RelayCounters counters = new();
    private readonly CancellationTokenSource stopping = new();

    private Reactor? reactor;
    private UdpRelay? udp;
    private SessionHub? hub;
    private HttpFront? front;
    private HttpServer? http;
    private ServerAddresses? addresses;
    private ServerPorts? ports;
    private DateTimeOffset startedAt;
    private Task watching = Task.CompletedTask;
    private bool isLooping;
    private int isDisposed;

    /// <summary>Valid after <see cref="StartAsync"/>. Any thread.</summary>
    public ServerStatusReport Status => new(
        [.. ports!.EndPoints], ports.SecondPort, [.. addresses!.Tcp], Convert.ToHexStringLower(registry.Authority.Fingerprint), startedAt,
        [.. sessions.All.OrderBy(session => session.Node).Select(Describe)],
        counters.UdpBytes, counters.UdpFrames, counters.SocketBytes, counters.SocketFrames, counters.StunAnswers, DropsByReason());

    /// <exception cref="MeshException">Something of the options cannot be had: the line says what and what to do. Dispose then.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        registry.Open();
        startedAt = time.GetUtcNow();
        reactor = new Reactor("edgemesh-relay", log);
        udp = new UdpRelay(reactor, sessions, counters, log);
        ports = ServerPorts.Bind(options, udp);
        addresses = ports.Advertise(options.Advertise);
        hub = new SessionHub(registry, sessions, udp, counters, addresses, time, log);
        front = new HttpFront(registry, hub, new EnrolLimiter(time), log);
        http = new HttpServer(registry.Authority, front, logs);
        TakeCertificate(http, addresses);
        hub.Check();
        reactor.Start();
        isLooping = true;
        await http.StartAsync(ports.TakeSockets(), stop).ConfigureAwait(false);
        ServerMetrics.Add(counters, sessions);
        watching = WatchAsync(hub, http, addresses);
        ServerLog.Serving(log, string.Join(", ", ports.EndPoints), ports.SecondPort, Convert.ToHexStringLower(registry.Authority.Fingerprint));
    }

    /// <summary>Tells agents to use another server if they have one; those that have none stay. Any thread.</summary>
    public void Drain() => hub?.Drain();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0)
        {
            return;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        ServerMetrics.Remove(counters, sessions);
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
        session.Node, session.Bound?.Address.ToEndPoint(), session.UsableLeg(Reactor.Clock()) is not null, session.Outbound.Bytes);

    private ImmutableSortedDictionary<string, long> DropsByReason() => Enum.GetValues<DropReason>()
        .Where(reason => counters.Dropped(reason) > 0)
        .ToImmutableSortedDictionary(ServerMetrics.NameOf, counters.Dropped);
}
