using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Ops;

/// <summary>
/// A stream listener for a few local callers: metrics and health over TCP, operator verbs over a Unix socket. One task owns
/// all connections; there are at most <see cref="MaxConnections"/>, and each must be over within its time.
/// </summary>
internal sealed class SmallListener : IAsyncDisposable
{
    private const int MaxConnections = 16;

    private readonly Socket listening;
    private readonly Func<Stream, CancellationToken, Task> serve;
    private readonly TimeSpan limit;
    private readonly ILogger log;
    private readonly string? socketPath;
    private readonly CancellationTokenSource stopping = new();
    private Task running = Task.CompletedTask;

    private SmallListener(
        Socket listening, string? socketPath, TimeSpan limit, Func<Stream, CancellationToken, Task> serve, ILogger log)
    {
        this.listening = listening;
        this.socketPath = socketPath;
        this.limit = limit;
        this.serve = serve;
        this.log = log;
    }

    public EndPoint LocalEndPoint => listening.LocalEndPoint!;

    /// <exception cref="MeshException">The port is in use.</exception>
    public static SmallListener Tcp(
        IPEndPoint endPoint, string option, TimeSpan limit, Func<Stream, CancellationToken, Task> serve, ILogger log)
    {
        Socket socket = new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(MaxConnections);
            return new SmallListener(socket, null, limit, serve, log);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new MeshException(
                MeshExit.Failed,
                e.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? $"port {endPoint} (metrics and health) is in use by another program: stop it or give another with {option}"
                    : $"cannot listen on {endPoint} (metrics and health): {e.Message}; give another address with {option}",
                e);
        }
    }

    /// <summary>A Unix socket that only its owner may open. A socket file that nobody answers at is replaced.</summary>
    /// <exception cref="MeshException">Another process answers at the path, or the path cannot be used.</exception>
    public static SmallListener Unix(string path, TimeSpan limit, Func<Stream, CancellationToken, Task> serve, ILogger log)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            UnixDomainSocketEndPoint endPoint = new(path);
            if (File.Exists(path))
            {
                RefuseIfAnswered(path, endPoint);
                File.Delete(path);
            }

            socket.Bind(endPoint);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(MaxConnections);
            return new SmallListener(socket, path, limit, serve, log);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            socket.Dispose();
            throw new MeshException(
                MeshExit.Failed, $"cannot make the operator socket {path}: {e.Message}; give a writable and shorter --state-dir", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Start() => running = AcceptAsync(stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        listening.Dispose();
        await running.ConfigureAwait(false);
        stopping.Dispose();
        if (socketPath is not null)
        {
            File.Delete(socketPath);
        }
    }

    private static void RefuseIfAnswered(string path, UnixDomainSocketEndPoint endPoint)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException)
        {
            return;
        }

        throw new MeshException(
            MeshExit.Failed, $"another edgemesh process already uses {Path.GetDirectoryName(path)}: stop it or give another --state-dir");
    }

    private async Task AcceptAsync(CancellationToken stop)
    {
        List<Task> connections = [];
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await listening.AcceptAsync(stop).ConfigureAwait(false);
                connections.RemoveAll(c => c.IsCompleted);
                if (connections.Count >= MaxConnections)
                {
                    // The newest caller is turned away: those before it are within their time.
                    socket.Dispose();
                    continue;
                }

                connections.Add(ServeAsync(socket, stop));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                break;
            }
            catch (SocketException e)
            {
                // Out of files, or a caller that was gone already: neither ends the listener.
                AppLog.AcceptFailed(log, LocalName, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(connections).ConfigureAwait(false);
    }

    private string LocalName => socketPath ?? "the metrics port";

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        using CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(limit);
        await using NetworkStream stream = new(socket, ownsSocket: true);
        try
        {
            await serve(stream, time.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The caller went away or took too long.
        }
        catch (Exception e)
        {
            AppLog.RequestFailed(log, LocalName, e);
        }
    }
}
