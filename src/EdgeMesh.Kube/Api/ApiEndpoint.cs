using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>A Kubernetes API as the operator or the machine describes it: where, whom to believe, who we are.</summary>
internal sealed record ApiEndpoint
{
    private const int SolSocket = 1;
    private const int SoMark = 36;

    /// <summary>For logs and status: <c>kubeconfig /root/.kube/config</c>.</summary>
    public required string Name { get; init; }

    public required Uri Base { get; init; }

    /// <summary>KubeEdge's MetaServer: LIST is the truth, WATCH a hint.</summary>
    public bool IsMetaServer { get; init; }

    public TokenSource Token { get; init; } = TokenSource.None;

    /// <summary>Completes the TLS options of a new connection: trust, client certificate, server name. Read anew for each client.</summary>
    public Action<SslClientAuthenticationOptions>? Tls { get; init; }

    public Uri? Proxy { get; init; }

    /// <summary>HTTP/1.1, so that a watch that is cut is one connection that is cut; half-open ones are found by keepalives within a minute.</summary>
    public SocketsHttpHandler NewHandler()
    {
        SocketsHttpHandler handler = new()
        {
            AutomaticDecompression = DecompressionMethods.GZip,
            UseCookies = false,
            AllowAutoRedirect = false,
            MaxConnectionsPerServer = 8,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            UseProxy = Proxy is not null,
            Proxy = Proxy is null ? null : new WebProxy(Proxy),
            ConnectCallback = static async (context, stop) =>
            {
                Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    Mark(socket);
                    socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                    socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
                    socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
                    socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
                    await socket.ConnectAsync(context.DnsEndPoint, stop).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        Tls?.Invoke(handler.SslOptions);
        return handler;
    }

    // Our own rules leave it alone: the API may sit behind a Service. Without CAP_NET_ADMIN there are no rules of ours either.
    private static void Mark(Socket socket)
    {
        try
        {
            socket.SetRawSocketOption(SolSocket, SoMark, BitConverter.GetBytes(MeshDefaults.AgentSocketMark));
        }
        catch (SocketException)
        {
        }
    }
}
