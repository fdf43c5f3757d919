using System.Buffers;
using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Tcp;

/// <summary>
/// A client's connection to an endpoint that this node's kernel reaches, carried by the agent: a pod that calls itself,
/// affinity, or a remote endpoint's replacement. Same contract as <see cref="TcpForward"/>; <see cref="DialStatus.Busy"/> means that files run short.
/// </summary>
internal static class LocalConnection
{
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Rented only while there is something to read: an idle connection holds no buffer.</summary>
    private const int BufferBytes = 64 * 1024;

    public static async Task<TcpForwardResult> RunAsync(
        IPEndPoint endpoint, Socket client, ReadOnlyMemory<byte> replay, FileReserve files, CancellationToken stop)
    {
        if (TryOpen(endpoint.AddressFamily, files) is not Socket server)
        {
            return new TcpForwardResult(DialStatus.Busy, replay, 0, 0);
        }

        DialStatus status = await DialAsync(server, endpoint, stop).ConfigureAwait(false);
        if (status != DialStatus.Ok)
        {
            server.Dispose();
            return new TcpForwardResult(status, replay, 0, 0);
        }

        client.NoDelay = true;
        return await CarryAsync(client, server, replay, stop).ConfigureAwait(false);
    }

    /// <summary>Many clients may have been accepted before the first of them gets its second file.</summary>
    private static Socket? TryOpen(AddressFamily family, FileReserve files)
    {
        try
        {
            Socket socket = new(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            if (!files.IsNear(socket))
            {
                return socket;
            }

            socket.Dispose();
        }
        catch (SocketException)
        {
            // Not even the reserve is left.
        }

        return null;
    }

    private static async Task<DialStatus> DialAsync(Socket server, IPEndPoint endpoint, CancellationToken stop)
    {
        using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(DialTimeout);
        try
        {
            SocketSetup.MarkAsAgent(server);
            SocketSetup.KeepAlive(server);
            await server.ConnectAsync(endpoint, timeout.Token).ConfigureAwait(false);
            return DialStatus.Ok;
        }
        catch (OperationCanceledException)
        {
            return DialStatus.Unreachable;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused or SocketError.ConnectionReset => DialStatus.Refused,
                SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => DialStatus.Busy,
                _ => DialStatus.Unreachable,
            };
        }
    }

    private static async Task<TcpForwardResult> CarryAsync(Socket client, Socket server, ReadOnlyMemory<byte> replay, CancellationToken stop)
    {
        // Resetting both sockets ends both directions, whichever of them noticed first.
        using CancellationTokenRegistration abort = stop.Register(() =>
        {
            SocketSetup.Reset(client);
            SocketSetup.Reset(server);
        });
        Task<long> up = PumpAsync(client, server, replay);
        Task<long> down = PumpAsync(server, client, default);
        long sent = await up.ConfigureAwait(false);
        long received = await down.ConfigureAwait(false);
        client.Dispose();
        server.Dispose();
        return new TcpForwardResult(DialStatus.Ok, default, sent, received);
    }

    /// <summary>One direction until FIN, which is passed on as FIN, or until either side breaks, which resets both.</summary>
    private static async Task<long> PumpAsync(Socket from, Socket to, ReadOnlyMemory<byte> first)
    {
        long total = 0;
        try
        {
            if (!first.IsEmpty)
            {
                await SendAllAsync(to, first).ConfigureAwait(false);
                total = first.Length;
            }

            while (true)
            {
                await from.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
                byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
                try
                {
                    int count;
                    do
                    {
                        count = await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                        if (count == 0)
                        {
                            to.Shutdown(SocketShutdown.Send);
                            return total;
                        }

                        await SendAllAsync(to, buffer.AsMemory(0, count)).ConfigureAwait(false);
                        total += count;
                    }
                    while (from.Available > 0);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            SocketSetup.Reset(from);
            SocketSetup.Reset(to);
            return total;
        }
    }

    private static async ValueTask SendAllAsync(Socket to, ReadOnlyMemory<byte> data)
    {
        while (!data.IsEmpty)
        {
            data = data[await to.SendAsync(data, SocketFlags.None).ConfigureAwait(false)..];
        }
    }
}
