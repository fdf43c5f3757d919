using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Dns;

/// <summary>Accepts clients' TCP connections up to the common limit and each client's share of it, and owns them until they end.</summary>
internal sealed class TcpListener(
    Socket socket, DnsEngine engine, TaskGroup connections, ClientShare shares, TimeSpan idleTimeout, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly IPEndPoint address = (IPEndPoint)socket.LocalEndPoint!;
    private Task loop = Task.CompletedTask;

    public void Start() => loop = AcceptAsync();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        socket.Dispose();
        await loop.ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Socket client = await socket.AcceptAsync(stopping.Token).ConfigureAwait(false);
                Admit(client);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of files, or a client that left before we came: the next accept may work.
                DnsLog.ConnectionEnded(log, address, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void Admit(Socket client)
    {
        // Null: the client has left already.
        if (client.RemoteEndPoint is not IPEndPoint from)
        {
            client.Dispose();
            return;
        }

        DnsAddress address = DnsAddress.From(from.Address);
        bool hasShare = shares.TryEnter(address);
        if (hasShare && connections.TryRun(ServeAsync, (client, from, address)))
        {
            return;
        }

        if (hasShare)
        {
            shares.Leave(address);
        }

        DnsMetrics.Shed.Add(1, new KeyValuePair<string, object?>("limit", "connections"));
        client.Dispose();
    }

    private async Task ServeAsync((Socket Socket, IPEndPoint From, DnsAddress Address) admitted)
    {
        DnsMetrics.Connections.Add(1);
        (Socket client, IPEndPoint from, DnsAddress clientAddress) = admitted;
        try
        {
            client.NoDelay = true;
            await using TcpConnection connection = new(client, engine, idleTimeout, time);
            await connection.RunAsync(stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            DnsLog.ConnectionEnded(log, from, e.Message);
        }
        catch (Exception e)
        {
            DnsLog.ListenerFailed(log, address, e);
        }
        finally
        {
            client.Dispose();
            shares.Leave(clientAddress);
            DnsMetrics.Connections.Add(-1);
        }
    }
}
