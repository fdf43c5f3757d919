using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Dns;

/// <summary>
/// Answers datagrams on threads of its own with blocking calls: under load a thread takes datagram after datagram without
/// being put to sleep, and a query that is answered from what is known makes no object. What has to go upstream leaves the
/// thread at once.
/// </summary>
internal sealed class UdpListener(Socket socket, DnsEngine engine, TaskGroup waiting, ILogger log) : IAsyncDisposable
{
    private const int StackBytes = 256 << 10;

    private readonly IPEndPoint address = (IPEndPoint)socket.LocalEndPoint!;
    private readonly List<(Thread Thread, TaskCompletionSource Ended)> threads = [];
    private volatile bool isStopping;

    public void Start(int count)
    {
        for (int i = 0; i < count; i++)
        {
            TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Thread thread = new(() => Run(ended), StackBytes) { IsBackground = true, Name = "dns" };
            threads.Add((thread, ended));
            thread.Start();
        }
    }

    public async ValueTask DisposeAsync()
    {
        isStopping = true;
        Wake();
        await Task.WhenAll(threads.Select(thread => thread.Ended.Task)).ConfigureAwait(false);
        socket.Dispose();
    }

    // Linux ends a blocked receive on shutdown, even of a datagram socket without a peer, for which it reports ENOTCONN.
    private void Wake()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // ENOTCONN: done all the same.
        }
    }

    private void Run(TaskCompletionSource ended)
    {
        byte[] query = new byte[DnsLimits.UdpPayload];
        byte[] output = new byte[DnsLimits.UdpPayload];
        SocketAddress client = new(address.AddressFamily);
        try
        {
            while (!isStopping)
            {
                try
                {
                    int length = socket.ReceiveFrom(query, SocketFlags.None, client);
                    Answer(query.AsSpan(0, length), output, client);
                }
                catch (SocketException e) when (IsHarmless(e.SocketErrorCode))
                {
                    // Time-out, or what ICMP said about an answer: neither concerns the next client.
                }
            }
        }
        catch (Exception e)
        {
            DnsLog.ListenerFailed(log, address, e);
        }
        finally
        {
            ended.SetResult();
        }
    }

    private void Answer(ReadOnlySpan<byte> query, byte[] output, SocketAddress client)
    {
        DnsAddress address = DnsAddress.From(client);
        DnsReply reply = engine.Handle(query, output, isStream: false, address);
        if (reply.Outcome == DnsOutcome.Answer)
        {
            socket.SendTo(output.AsSpan(0, reply.Length), SocketFlags.None, client);
        }
        else if (reply.Outcome == DnsOutcome.Ask)
        {
            Later later = new(query.ToArray(), output.AsSpan(0, reply.Length).ToArray(), Copy(client));
            if (!waiting.TryRun(FinishAsync, later))
            {
                DnsMetrics.Shed.Add(1, new KeyValuePair<string, object?>("limit", "waiting"));
            }
        }
    }

    private async Task FinishAsync(Later later)
    {
        byte[] output = [];
        try
        {
            long began = Stopwatch.GetTimestamp();
            Fetched fetched = await engine.FetchAsync(later.Key).ConfigureAwait(false);
            output = ArrayPool<byte>.Shared.Rent(DnsLimits.UdpPayload);
            DnsReply reply = engine.Finish(later.Query, fetched, output, isStream: false, began);
            if (reply.Outcome == DnsOutcome.Answer)
            {
                socket.SendTo(output.AsSpan(0, reply.Length), SocketFlags.None, later.Client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client or we are gone: nobody waits for this answer.
        }
        catch (Exception e)
        {
            DnsLog.ListenerFailed(log, address, e);
        }
        finally
        {
            if (output.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(output);
            }
        }
    }

    private static bool IsHarmless(SocketError error) => error is SocketError.TimedOut or SocketError.WouldBlock
        or SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.HostUnreachable
        or SocketError.NetworkUnreachable or SocketError.MessageSize or SocketError.AccessDenied
        or SocketError.Interrupted or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable
        or SocketError.HostDown or SocketError.NetworkDown or SocketError.InvalidArgument;

    private static SocketAddress Copy(SocketAddress address)
    {
        SocketAddress copy = new(address.Family, address.Size);
        address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
        return copy;
    }

    private sealed record Later(byte[] Query, byte[] Key, SocketAddress Client);
}
