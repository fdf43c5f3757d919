using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

using EdgeMesh.Server.State;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Server.Http;

/// <summary>
/// Kestrel with nothing around it: HTTP/1.1 over TLS 1.3 on sockets that are bound already. The chain the server shows ends
/// with the CA's certificate, because an agent that enrols knows only its fingerprint.
/// </summary>
internal sealed class HttpServer(
    CertificateAuthority authority, HttpFront front, FrontConnections fronts, HandshakeGate gate, int maxAgents, ILoggerFactory logs) : IAsyncDisposable
{
    private const int MaxBody = 16 * 1024;

    /// <summary>Beside the agents' WebSockets: those that enrol, renew, or are just being refused.</summary>
    public const int OtherConnections = 1024;

    /// <summary>
    /// Where all agents of a server that was restarted fit until they are accepted (the kernel's own bound, somaxconn, is the
    /// same): one that does not hears nothing and gives up after 3 s.
    /// </summary>
    private const int Backlog = 4096;

    private const int SolTcp = 6;
    private const int TcpNotSentLowAt = 25;

    /// <summary>What the kernel may hold unsent for a receiver that is slow; the rest waits in our queue, where the oldest is dropped.</summary>
    private const int NotSentBytes = 128 * 1024;

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly ConnectionLimiter limiter = new();
    private volatile SslStreamCertificateContext? certificate;
    private WebApplication? app;

    /// <summary>The certificate of handshakes from now on.</summary>
    public void UseCertificate(X509Certificate2 leaf) =>
        certificate = FullChain.Of(leaf, authority.Certificate);

    /// <summary>A TCP socket of one family, as the UDP sockets are: <c>[::]</c> leaves IPv4 to <c>0.0.0.0</c>.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static Socket Bind(IPEndPoint endPoint)
    {
        Socket socket = new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            // Accepted connections inherit both.
            socket.NoDelay = true;
            socket.SetRawSocketOption(SolTcp, TcpNotSentLowAt, BitConverter.GetBytes(NotSentBytes));
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Serves on these sockets, which are its own from now on.</summary>
    public async Task StartAsync(IReadOnlyList<Socket> sockets, CancellationToken stop)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new FrameworkLogs(logs));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();

        // After Kestrel's own: the last one counts.
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, BlockPool.Factory>();
        builder.Services.Configure<SocketTransportOptions>(options =>
        {
            options.CreateBoundListenSocket = endPoint => sockets.First(socket => endPoint.Equals(socket.LocalEndPoint));
            options.IOQueueCount = 1;
            options.Backlog = Backlog;
        });
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = MaxBody;
            options.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
            options.Limits.MaxRequestLineSize = 2 * 1024;
            options.Limits.MaxRequestBufferSize = 64 * 1024;
            options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
            options.Limits.MaxConcurrentConnections = maxAgents + OtherConnections;
            options.Limits.MaxConcurrentUpgradedConnections = maxAgents + OtherConnections;
            foreach (Socket socket in sockets)
            {
                options.Listen((IPEndPoint)socket.LocalEndPoint!, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.Use(fronts.Wrap);
                    listen.Use(limiter.Wrap);
                    listen.Use(gate.Enter);
                    listen.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        HandshakeTimeout = HandshakeTimeout,
                        OnConnection = _ => ValueTask.FromResult(TlsOptions()),
                    });
                    listen.Use(HandshakeGate.Leave);
                });
            }
        });

        app = builder.Build();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.Run(front.HandleAsync);
        await app.StartAsync(stop).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
            await app.StopAsync(patience.Token).ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }
    }

    private SslServerAuthenticationOptions TlsOptions() => new()
    {
        ServerCertificateContext = certificate,
        EnabledSslProtocols = SslProtocols.Tls13,
        ClientCertificateRequired = true,
        AllowRenegotiation = false,
        // A resumed session would bring a certificate that nobody has checked today.
        AllowTlsResume = false,
        CertificateChainPolicy = authority.ChainPolicy(),
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = IsAcceptable,
    };

    /// <summary>None at all is for enrolment; one must be of the mesh CA.</summary>
    private static bool IsAcceptable(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors) =>
        shown is null || errors == SslPolicyErrors.None;
}
