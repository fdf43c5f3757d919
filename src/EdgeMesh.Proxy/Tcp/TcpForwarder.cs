using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Balance;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace EdgeMesh.Proxy.Tcp;

/// <summary>
/// The agent's TCP arm: one listener for all Services, and one for those of which an endpoint just refused a connection in the
/// kernel. Each connection runs by itself from the moment it is accepted, so a
/// slow endpoint delays nobody else.
/// </summary>
internal sealed class TcpForwarder(IPAddress address, Balancer balancer, TcpForward forward, FileLimit files, ILogger log)
    : IAsyncDisposable
{
    /// <summary>The kernel cuts it to net.core.somaxconn.</summary>
    private const int Backlog = 4096;

    private readonly ConcurrentDictionary<long, Task> running = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Socket> listeners = [];
    private readonly Lock shedding = new(); // Guards spare.
    private SafeFileHandle? spare;
    private Task accepting = Task.CompletedTask;
    private long lastId;
    private long lastLimitLog;

    /// <summary>For what the kernel leaves to the agent.</summary>
    public int Port { get; private set; }

    /// <summary>For connections that may go to any endpoint, the kernel's too.</summary>
    public int RetryPort { get; private set; }

    public void Start()
    {
        spare = OpenSpare();
        (Socket arm, Socket retry) = (Listen(), Listen());
        (Port, RetryPort) = (((IPEndPoint)arm.LocalEndPoint!).Port, ((IPEndPoint)retry.LocalEndPoint!).Port);
        accepting = Task.WhenAll(AcceptAsync(arm, anyEndpoint: false), AcceptAsync(retry, anyEndpoint: true));
    }

    private Socket Listen()
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            socket.Listen(Backlog);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new MeshException(MeshExit.Failed, $"cannot listen on {address} ({e.Message}): is the address on the mesh device?", e);
        }

        listeners.Add(socket);
        return socket;
    }

    /// <summary>Takes no more connections and waits until those that run have ended, at most this long.</summary>
    public async Task DrainAsync(TimeSpan limit)
    {
        listeners.ForEach(socket => socket.Dispose());
        await accepting.ConfigureAwait(false);
        try
        {
            await Task.WhenAll(running.Values).WaitAsync(limit).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The rest is reset by the dispose.
        }
    }

    /// <summary>Unbind, abort what runs, wait for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        listeners.ForEach(socket => socket.Dispose());
        await accepting.ConfigureAwait(false);
        await Task.WhenAll(running.Values).ConfigureAwait(false);
        spare?.Dispose();
        stopping.Dispose();
    }

    private async Task AcceptAsync(Socket socket, bool anyEndpoint)
    {
        while (!stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await socket.AcceptAsync(stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets)
            {
                ShedOne(socket);
                continue;
            }
            catch (SocketException) when (!stopping.IsCancellationRequested)
            {
                // The client gave up while it waited in the backlog.
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            if (files.IsNear(client))
            {
                SocketSetup.Reset(client);
                CountLimit();
                continue;
            }

            long id = Interlocked.Increment(ref lastId);
            Task task = Task.Run(() => ServeAsync(id, client, anyEndpoint));
            running[id] = task;
            if (task.IsCompleted)
            {
                running.TryRemove(id, out _);
            }
        }
    }

    private async Task ServeAsync(long id, Socket client, bool anyEndpoint)
    {
        ProxyMetrics.TcpOpen.Add(1);
        try
        {
            string outcome = await ForwardAsync(client, anyEndpoint).ConfigureAwait(false);
            ProxyMetrics.TcpConnections.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        }
        catch (Exception e)
        {
            SocketSetup.Reset(client);
            if (e is not (SocketException or OperationCanceledException or ObjectDisposedException))
            {
                ProxyLog.Failed(log, e, "a TCP connection");
            }
        }
        finally
        {
            ProxyMetrics.TcpOpen.Add(-1);
            running.TryRemove(id, out _);
        }
    }

    private async Task<string> ForwardAsync(Socket client, bool anyEndpoint)
    {
        if (!TryFindPlan(client, out PortPlan plan, out string destination) || client.RemoteEndPoint is not IPEndPoint from)
        {
            ProxyLog.NoService(log, SafeRemote(client), destination);
            SocketSetup.Reset(client);
            return "no-service";
        }

        client.NoDelay = true;
        SocketSetup.KeepAlive(client);
        ReadOnlyMemory<byte> replay = default;
        Balancer.Attempts attempts = balancer.Begin(plan, from.Address, anyEndpoint);
        while (attempts.TryNext(out PlannedEndpoint endpoint))
        {
            using IDisposable? load = balancer.Carry(plan, endpoint);
            TcpForwardResult result = endpoint is { Placement: Placement.Remote, Node: NodeName node }
                ? await forward(
                    new DialTarget(node, TransportProtocol.Tcp, endpoint.Address, plan.Service, from), client, replay, stopping.Token)
                    .ConfigureAwait(false)
                : await LocalConnection.RunAsync(endpoint.Address, client, replay, files, stopping.Token).ConfigureAwait(false);
            if (result.Status == DialStatus.Ok)
            {
                balancer.Succeeded(plan, endpoint);
                return "ok";
            }

            ProxyLog.AttemptFailed(log, from, plan.Key, endpoint.Address, endpoint.Node, result.Status);
            if (result.Status == DialStatus.Busy && endpoint.IsKernel)
            {
                // Ours, not the endpoint's fault, and another one would fare no better.
                SocketSetup.Reset(client);
                LogLimit();
                return "file-limit";
            }

            if (result.Status == DialStatus.Lost)
            {
                // Nobody knows what was delivered, so nobody may try again.
                return "lost";
            }

            balancer.Failed(plan, endpoint);
            replay = result.Unsent;
            if (stopping.IsCancellationRequested)
            {
                break;
            }
        }

        SocketSetup.Reset(client);
        return "refused";
    }

    private bool TryFindPlan(Socket client, out PortPlan plan, out string destination)
    {
        Span<byte> original = stackalloc byte[4];
        if (!SocketSetup.TryGetOriginalDestination(client, original, out ushort port))
        {
            plan = null!;
            destination = "a connection without DNAT";
            return false;
        }

        IPAddress to = new(original);
        destination = $"{to}:{port}";
        return balancer.TryFind(new PortKey(to, TransportProtocol.Tcp, port), out plan);
    }

    private static EndPoint? SafeRemote(Socket client)
    {
        try
        {
            return client.RemoteEndPoint;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>
    /// Out of files in spite of the count: a connection in the backlog would be tried for ever and never told. One file kept
    /// for this moment lets it be accepted and reset.
    /// </summary>
    private void ShedOne(Socket socket)
    {
        lock (shedding)
        {
            ShedLocked(socket);
        }

        CountLimit();
    }

    private void ShedLocked(Socket socket)
    {
        spare?.Dispose();
        try
        {
            if (socket.Poll(0, SelectMode.SelectRead))
            {
                SocketSetup.Reset(socket.Accept());
            }
        }
        catch (SocketException)
        {
            // Another thread took the file; the next turn tries again.
        }

        spare = OpenSpare();
    }

    private static SafeFileHandle? OpenSpare()
    {
        try
        {
            return File.OpenHandle("/dev/null");
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void CountLimit()
    {
        ProxyMetrics.TcpConnections.Add(1, new KeyValuePair<string, object?>("outcome", "file-limit"));
        LogLimit();
    }

    private void LogLimit()
    {
        long now = Environment.TickCount64;
        if (now - lastLimitLog > 10_000)
        {
            lastLimitLog = now;
            ProxyLog.FileLimit(log, files.Files);
        }
    }
}
