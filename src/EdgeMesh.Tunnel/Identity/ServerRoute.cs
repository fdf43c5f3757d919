using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// HTTPS to one address of a server: marked socket, TLS 1.3, our client certificate if there is one, the server judged by the
/// mesh CA and not by the system's. Requests go to <see cref="Origin"/> whatever the address is.
/// </summary>
internal sealed class ServerRoute : IDisposable
{
    private readonly int? mark;
    private Socket? connected;

    /// <param name="address">Of the server.</param>
    /// <param name="connected">A connection to it for the first request; owned from now on.</param>
    /// <param name="trust">Judges the server.</param>
    /// <param name="client">Our certificate, if there is one.</param>
    /// <param name="mark">SO_MARK of further connections.</param>
    public ServerRoute(IPEndPoint address, Socket connected, TrustAnchor trust, SslStreamCertificateContext? client, int? mark)
    {
        Address = address;
        this.connected = connected;
        this.mark = mark;
        Handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = TrustAnchor.ServerName,
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = client,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                    (CertificateFault = trust.Judge(certificate as X509Certificate2, chain)) is null,
            },
        };
    }

    public const string Origin = "https://" + TrustAnchor.ServerName;

    public IPEndPoint Address { get; }

    public SocketsHttpHandler Handler { get; }

    /// <summary>What was wrong with the server's certificate, if that is why it failed.</summary>
    public string? CertificateFault { get; private set; }

    public void Dispose()
    {
        Handler.Dispose();
        Interlocked.Exchange(ref connected, null)?.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop) =>
        new NetworkStream(
            Interlocked.Exchange(ref connected, null) ?? await MarkedSocket.ConnectAsync(Address, mark, stop).ConfigureAwait(false), ownsSocket: true);
}
