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
/// slow endpoint delays nobody else. Accepting and choosing happen on the thread that carries the connection afterwards.
/// </summary>
internal sealed class TcpForwarder(
    IPAddress address, Balancer balancer, TcpForward forward, SocketWatch watch, FileReserve files, ILogger log) : IAsyncDisposable
{
    /// <summary>The kernel cuts it to net.core.somaxconn.</summary>
    private const int Backlog = 4096;

    // Then what they cause is sent before the next ones are taken.
    private const int AcceptsPerTurn = 16;

    private readonly CancellationTokenSource stopping = new();
    private readonly List<IDisposable> listeners = [];
    private readonly Lock gate = new(); // Guards running and isClosed, and that nothing begins to run afterwards.
    private readonly Dictionary<long, Task> running = [];
    private SafeFileHandle? spare; // Of the thread that accepts.
    private bool isClosed;
    private long lastId;

    /// <summary>For what the kernel leaves to the agent.</summary>
    public int Port { get; private set; }

    /// <summary>For connections that may go to any endpoint, the kernel's too.</summary>
    public int RetryPort { get; private set; }

    public void Start()
    {
        spare = OpenSpare();
        Port = Listen(anyEndpoint: false);
        RetryPort = Listen(anyEndpoint: true);
    }

    private int Listen(bool anyEndpoint)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
            SocketSetup.KeepAlive(socket); // What it accepts inherits the options.
            socket.Listen(Backlog);

            // Blocking, or .NET makes each accepted socket non-blocking, in two system calls. It is asked only for connections that
            // wait; should one be gone all the same, a millisecond is the end of it.
            socket.ReceiveTimeout = 1;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new MeshException(MeshExit.Failed, $"cannot listen on {address} ({e.Message}): is the address on the mesh device?", e);
        }

        int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        listeners.Add(watch(socket, () => Accept(socket, anyEndpoint)));
        return port;
    }

    /// <summary>Takes no more connections and waits until those that run have ended, at most this long.</summary>
    public async Task DrainAsync(TimeSpan limit)
    {
        Close();
        try
        {
            await WhenIdleAsync().WaitAsync(limit).ConfigureAwait(false);
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
        Close();
        await WhenIdleAsync().ConfigureAwait(false);
        spare?.Dispose();
        stopping.Dispose();
    }

    private void Close()
    {
        lock (gate)
        {
            isClosed = true;
        }

        listeners.ForEach(listener => listener.Dispose());
    }

    private Task WhenIdleAsync()
    {
        lock (gate)
        {
            return Task.WhenAll([.. running.Values]);
        }
    }

    private void Accept(Socket listener, bool anyEndpoint)
    {
        // Nobody else accepts here, so those who wait now can be taken without asking again for each of them.
        for (int left = Math.Min(SocketSetup.Waiting(listener), AcceptsPerTurn); left > 0; left--)
        {
            Socket client;
            try
            {
                client = listener.Accept();
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets)
            {
                ShedOne(listener);
                continue;
            }
            catch (SocketException)
            {
                // The client gave up while it waited in the backlog.
                return;
            }

            if (files.IsNear(client))
            {
                SocketSetup.Reset(client);
                CountLimit();
                continue;
            }

            lock (gate)
            {
                if (isClosed)
                {
                    SocketSetup.Reset(client);
                    return;
                }

                long id = ++lastId;
                Task task = ServeAsync(id, client, anyEndpoint);
                if (!task.IsCompleted)
                {
                    running[id] = task;
                }
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
            lock (gate)
            {
                running.Remove(id);
            }
        }
    }

    private async Task<string> ForwardAsync(Socket client, bool anyEndpoint)
    {
        IPEndPoint? to = SocketSetup.OriginalDestination(client);
        if (to is null || !balancer.TryFind(new PortKey(to.Address, TransportProtocol.Tcp, (ushort)to.Port), out PortPlan plan)
            || client.RemoteEndPoint is not IPEndPoint from)
        {
            ProxyLog.NoService(log, SafeRemote(client), to?.ToString() ?? "a connection without DNAT");
            SocketSetup.Reset(client);
            return "no-service";
        }

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
        CountLimit();
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
        if (files.IsTimeToTell())
        {
            ProxyLog.FileLimit(log, files.Files);
        }
    }
}
