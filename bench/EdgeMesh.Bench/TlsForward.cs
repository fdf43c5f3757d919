using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeMesh.Bench;

/// <summary>
/// The reference "TLS over TCP": a port forwarder of two processes with one TLS 1.3 connection per client connection,
/// as stunnel or ghostunnel would do it. It runs on the paths the mesh runs on, so that a number of the mesh can be read as a ratio.
/// </summary>
internal static class TlsForward
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Plain in, TLS out.</summary>
    public static Task DialAsync(IPEndPoint listen, IPEndPoint to, CancellationToken stop) =>
        ServeAsync(listen, async (client, token) =>
        {
            using Socket far = await ConnectAsync(to, token).ConfigureAwait(false);
#pragma warning disable CA5359 // Both ends are this benchmark, with a key made a moment ago: the cost of the cipher is measured, not trust.
            await using SslStream tls = new(new NetworkStream(far), leaveInnerStreamOpen: false, (_, _, _, _) => true);
#pragma warning restore CA5359
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "bench", EnabledSslProtocols = SslProtocols.Tls13 }, token).ConfigureAwait(false);
            await using NetworkStream plain = new(client);
            await JoinAsync(plain, client, tls, token).ConfigureAwait(false);
        }, stop);

    /// <summary>TLS in, plain out.</summary>
    public static Task ListenAsync(IPEndPoint listen, IPEndPoint to, CancellationToken stop)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=bench", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        SslStreamCertificateContext context = SslStreamCertificateContext.Create(
            X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null), null, offline: true);
        return ServeAsync(listen, async (client, token) =>
        {
            await using SslStream tls = new(new NetworkStream(client), leaveInnerStreamOpen: false);
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificateContext = context, EnabledSslProtocols = SslProtocols.Tls13 }, token).ConfigureAwait(false);
            using Socket far = await ConnectAsync(to, token).ConfigureAwait(false);
            await using NetworkStream plain = new(far);
            await JoinAsync(plain, far, tls, token).ConfigureAwait(false);
        }, stop);
    }

    private static async Task ServeAsync(IPEndPoint listen, Func<Socket, CancellationToken, Task> serve, CancellationToken stop)
    {
        using Socket listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(listen);
        listener.Listen(1024);
        HashSet<Task> running = [];
        while (!stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(stop).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // It went away while it waited.
                continue;
            }

            running.Add(OneAsync(client, serve, stop));
            running.RemoveWhere(task => task.IsCompleted);
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private static async Task OneAsync(Socket client, Func<Socket, CancellationToken, Task> serve, CancellationToken stop)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await serve(client, stop).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or SocketException or AuthenticationException or OperationCanceledException or InvalidOperationException)
            {
                // A client that went away ends its own connection and nothing else.
            }
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint to, CancellationToken stop)
    {
        Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(to, stop).ConfigureAwait(false);
        return socket;
    }

    private static async Task JoinAsync(NetworkStream plain, Socket plainSocket, SslStream tls, CancellationToken stop)
    {
        // Each direction passes its own end on: a server that closes first must be heard while the client still could write.
        await Task.WhenAll(UpAsync(), DownAsync()).ConfigureAwait(false);

        async Task UpAsync()
        {
            await CopyAsync(plain, tls, stop).ConfigureAwait(false);
            await tls.ShutdownAsync().ConfigureAwait(false);
        }

        async Task DownAsync()
        {
            await CopyAsync(tls, plain, stop).ConfigureAwait(false);
            plainSocket.Shutdown(SocketShutdown.Send);
        }
    }

    private static Task CopyAsync(Stream from, Stream to, CancellationToken stop) => from.CopyToAsync(to, BufferBytes, stop);
}
