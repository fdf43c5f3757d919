using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

/// <summary>
/// One connection that carries random bytes to an echo and back for as long as the test lasts, about 10 MB/s; both directions are
/// hashed.
/// </summary>
internal sealed class TestTransfer : IAsyncDisposable
{
    private const int Chunk = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly NetworkStream client;
    private readonly Task<TcpForwardResult> result;
    private readonly CancellationTokenSource enough = new();
    private readonly IncrementalHash sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Task sending;
    private readonly Task receiving;
    private long receivedBytes;

    private TestTransfer(NetworkStream client, Task<TcpForwardResult> result)
    {
        this.client = client;
        this.result = result;
        sending = SendAsync();
        receiving = ReceiveAsync();
    }

    public static async Task<TestTransfer> StartAsync(TestNode from, TestNode to, TestEndpoint endpoint)
    {
        endpoint.Serve = EchoAsync;
        (NetworkStream client, _, Task<TcpForwardResult> result) = await from.DialAsync(to, endpoint.EndPoint);
        TestTransfer transfer = new(client, result);
        await transfer.MovesAsync();
        endpoint.Serve = null;
        return transfer;
    }

    /// <summary>Waits until a megabyte more has come back.</summary>
    public async Task MovesAsync()
    {
        long goal = Interlocked.Read(ref receivedBytes) + (1 << 20);
        using CancellationTokenSource limit = new(Patience);
        while (Interlocked.Read(ref receivedBytes) < goal)
        {
            Assert.False(result.IsCompleted, "the connection ended");
            limit.Token.ThrowIfCancellationRequested();
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public async Task VerifyAsync()
    {
        await enough.CancelAsync();
        await sending;
        await receiving;
        TcpForwardResult done = await result;
        Assert.Equal(DialStatus.Ok, done.Status);
        Assert.Equal((receivedBytes, receivedBytes), (done.BytesToPeer, done.BytesFromPeer));
        Assert.Equal(sent.GetHashAndReset(), received.GetHashAndReset());
    }

    public async ValueTask DisposeAsync()
    {
        await enough.CancelAsync();
        await client.DisposeAsync();
        await Task.WhenAll(sending, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        enough.Dispose();
        sent.Dispose();
        received.Dispose();
    }

    private async Task SendAsync()
    {
        byte[] buffer = new byte[Chunk];
        Random random = new(11);
        while (!enough.IsCancellationRequested)
        {
            random.NextBytes(buffer);
            await client.WriteAsync(buffer);
            sent.AppendData(buffer);
            await Task.Delay(5, CancellationToken.None);
        }

        client.Socket.Shutdown(SocketShutdown.Send);
    }

    private async Task ReceiveAsync()
    {
        byte[] buffer = new byte[Chunk];
        int got;
        while ((got = await client.ReadAsync(buffer)) > 0)
        {
            received.AppendData(buffer, 0, got);
            Interlocked.Add(ref receivedBytes, got);
        }
    }

    private static async Task EchoAsync(NetworkStream stream)
    {
        await stream.CopyToAsync(stream);
        stream.Socket.Shutdown(SocketShutdown.Send);
    }
}
