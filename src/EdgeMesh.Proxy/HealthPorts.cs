using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Proxy;

/// <summary>
/// <c>healthCheckNodePort</c>: a load balancer asks here which nodes have endpoints of its Service (200) and which have none
/// (503), as kube-proxy answers. <see cref="Set"/> and <see cref="Apply"/> belong to the reconcile loop.
/// </summary>
internal sealed class HealthPorts(ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Askers at one time over all ports; more are reset.</summary>
    private const int MostAskers = 64;

    private readonly Dictionary<ServiceName, (ushort Port, int Endpoints)> wanted = [];
    private readonly Dictionary<ServiceName, Listener> listeners = [];
    private readonly HashSet<ServiceName> failed = [];
    private readonly List<Task> ended = [];
    private readonly CancellationTokenSource stopping = new();
    private int askers;

    /// <summary>Takes effect with <see cref="Apply"/>.</summary>
    /// <param name="service">Whose health it is.</param>
    /// <param name="port">0: nobody asks.</param>
    /// <param name="endpoints">Usable ones on this node.</param>
    public void Set(ServiceName service, ushort port, int endpoints)
    {
        if (port == 0)
        {
            wanted.Remove(service);
        }
        else
        {
            wanted[service] = (port, endpoints);
        }
    }

    /// <summary>Closes first, so that a port may go from one Service to another; tries again what could not be opened.</summary>
    public void Apply()
    {
        foreach ((ServiceName service, Listener open) in listeners)
        {
            if (wanted.GetValueOrDefault(service).Port != open.Port)
            {
                listeners.Remove(service);
                ended.RemoveAll(t => t.IsCompleted);
                ended.Add(open.Running);
                open.Socket.Dispose();
            }
        }

        failed.IntersectWith(wanted.Keys);
        foreach ((ServiceName service, (ushort port, int endpoints)) in wanted)
        {
            if (listeners.TryGetValue(service, out Listener? open))
            {
                open.Endpoints = endpoints;
            }
            else
            {
                Open(service, port, endpoints);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        foreach (Listener listener in listeners.Values)
        {
            listener.Socket.Dispose();
            ended.Add(listener.Running);
        }

        await Task.WhenAll(ended).ConfigureAwait(false);
        stopping.Dispose();
    }

    /// <summary>Fields and headers of kube-proxy (pkg/proxy/healthcheck): load balancers read the body or the weight.</summary>
    internal static string Answer(ServiceName service, int endpoints)
    {
        string body = string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"service\":{{\"namespace\":\"{service.Namespace}\",\"name\":\"{service.Name}\"}},\"localEndpoints\":{endpoints},\"serviceProxyHealthy\":true}}");
        string status = endpoints > 0 ? "200 OK" : "503 Service Unavailable";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nX-Load-Balancing-Endpoint-Weight: {endpoints}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
    }

    private void Open(ServiceName service, ushort port, int endpoints)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.Listen(16);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            if (failed.Add(service))
            {
                ProxyLog.NoHealthPort(log, port, service, e.Message);
            }

            return;
        }

        failed.Remove(service);

        Listener listener = new(socket, port) { Endpoints = endpoints };
        listener.Running = AcceptAsync(service, listener);
        listeners[service] = listener;
    }

    private async Task AcceptAsync(ServiceName service, Listener listener)
    {
        List<Task> running = [];
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Socket asker = await listener.Socket.AcceptAsync(stopping.Token).ConfigureAwait(false);
                running.RemoveAll(t => t.IsCompleted);
                running.Add(AnswerAsync(asker, Answer(service, listener.Endpoints)));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException
                or SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.InvalidArgument or SocketError.NotSocket })
            {
                break;
            }
            catch (SocketException)
            {
                // The asker gave up, or files ran out: not in a tight loop.
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None).ConfigureAwait(false);
            }
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task AnswerAsync(Socket asker, string answer)
    {
        using Socket owned = asker;
        if (Interlocked.Increment(ref askers) <= MostAskers)
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            patience.CancelAfter(Patience);
            try
            {
                // Every question has the same answer; reading it first keeps the close from becoming a reset.
                await asker.ReceiveAsync(new byte[2048], patience.Token).ConfigureAwait(false);
                await asker.SendAsync(Encoding.ASCII.GetBytes(answer), patience.Token).ConfigureAwait(false);
                asker.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // Gone, or too slow.
            }
        }

        Interlocked.Decrement(ref askers);
    }

    private sealed class Listener(Socket socket, ushort port)
    {
        public Socket Socket => socket;

        public ushort Port => port;

        public volatile int Endpoints;

        public Task Running { get; set; } = Task.CompletedTask;
    }
}
