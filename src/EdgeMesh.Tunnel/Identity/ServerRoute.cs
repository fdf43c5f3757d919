using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>
/// HTTPS to a server by one way: marked socket, TLS 1.3, our client certificate if there is one, the server judged by the
/// mesh CA and not by the system's. Requests go to <see cref="Host"/>, whose name TLS shows, whatever the way is.
/// </summary>
internal sealed class ServerRoute : IDisposable
{
    private readonly ServerWay way;
    private readonly int? mark;
    private Socket? connected;

    /// <param name="way">To the server.</param>
    /// <param name="connected">A connection to it for the first request; owned from now on.</param>
    /// <param name="trust">Judges the server.</param>
    /// <param name="client">Our certificate, if there is one.</param>
    /// <param name="mark">SO_MARK of further connections.</param>
    public ServerRoute(ServerWay way, Socket connected, TrustAnchor trust, SslStreamCertificateContext? client, int? mark)
    {
        this.way = way;
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
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = client,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                    (CertificateFault = trust.Judge(certificate as X509Certificate2, chain)) is null,
            },
        };
    }

    /// <summary>Of the requests' URLs. The platform makes SNI of it.</summary>
    public string Host => way.ServerName;

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
            Interlocked.Exchange(ref connected, null) ?? await way.ConnectAsync(mark, stop).ConfigureAwait(false), ownsSocket: true);
}
