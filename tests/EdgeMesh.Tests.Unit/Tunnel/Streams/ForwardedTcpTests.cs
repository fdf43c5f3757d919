using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Tunnel.Streams;

public class ForwardedTcpTests
{
    [Fact]
    public async Task CarriesBothDirectionsWholeAndHalfCloses()
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        using Listener endpoint = new();
        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        Task<TcpForwardResult> forward = pair.ForwardAsync(accepted, endpoint.Address);
        byte[] sent = RandomNumberGenerator.GetBytes(3_000_000);
        Task sending = SendAllAsync(client, sent);
        using Socket server = await endpoint.AcceptAsync();
        byte[] received = await ReadAllAsync(server);
        await sending;
        Assert.Equal(sent, received);

        // The client has finished; the answer still comes.
        byte[] answer = RandomNumberGenerator.GetBytes(2_000_000);
        await SendAllAsync(server, answer);
        Assert.Equal(answer, await ReadAllAsync(client));
        TcpForwardResult result = await forward;
        Assert.Equal((DialStatus.Ok, 3_000_000, 2_000_000), (result.Status, result.BytesToPeer, result.BytesFromPeer));
        client.Dispose();
    }

    [Fact]
    public async Task GivesTheSocketAndItsBytesBackWhenTheEndpointRefuses()
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        IPEndPoint dead;
        using (Listener gone = new())
        {
            dead = gone.Address;
        }

        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        await client.SendAsync("early"u8.ToArray());
        TcpForwardResult refused = await pair.ForwardAsync(accepted, dead, "replayed "u8.ToArray());
        Assert.Equal(DialStatus.Refused, refused.Status);
        string kept = System.Text.Encoding.ASCII.GetString(refused.Unsent.Span);
        Assert.StartsWith("replayed ", kept, StringComparison.Ordinal);

        // The next endpoint gets everything, once.
        using Listener endpoint = new();
        Task<TcpForwardResult> second = pair.ForwardAsync(accepted, endpoint.Address, refused.Unsent);
        using Socket server = await endpoint.AcceptAsync();
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("replayed early", System.Text.Encoding.ASCII.GetString(await ReadAllAsync(server)));
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal(DialStatus.Ok, (await second).Status);
        client.Dispose();
    }

    [Fact]
    public async Task IsRefusedWhereTheEndpointIsNotTheFarNodes()
    {
        await using StreamPair pair = new() { IsMine = (_, _) => false };
        await pair.ConnectAsync();
        using Listener endpoint = new();
        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        TcpForwardResult result = await pair.ForwardAsync(accepted, endpoint.Address);
        Assert.Equal(DialStatus.NotMine, result.Status);
        Assert.Equal(1, pair.Acceptor.Answers[(int)DialStatus.NotMine]);
        accepted.Dispose();
        client.Dispose();
    }

    [Fact]
    public async Task TheFarAgentIsBusyBeforeItsLastFileIsTaken()
    {
        await using StreamPair pair = new(files: 4);
        await pair.ConnectAsync();
        using Listener endpoint = new();
        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        TcpForwardResult result = await pair.ForwardAsync(accepted, endpoint.Address, "kept"u8.ToArray());
        Assert.Equal(DialStatus.Busy, result.Status);
        Assert.Equal("kept"u8.ToArray(), result.Unsent);
        Assert.Equal(1, pair.Acceptor.Answers[(int)DialStatus.Busy]);
        accepted.Dispose();
        client.Dispose();
    }

    [Fact]
    public async Task ForwardsAResetAsAReset()
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        using Listener endpoint = new();
        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        Task<TcpForwardResult> forward = pair.ForwardAsync(accepted, endpoint.Address);
        using Socket server = await endpoint.AcceptAsync();
        await client.SendAsync(new byte[1]);
        Assert.Equal(1, await server.ReceiveAsync(new byte[1]));
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
        SocketException error = await Assert.ThrowsAsync<SocketException>(async () => await server.ReceiveAsync(new byte[1]).WaitAsync(StreamPair.Patience));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        Assert.Equal(DialStatus.Ok, (await forward).Status);
    }

    [Fact]
    public async Task ResetsTheClientWhenPayloadWasSentAndNoStatusCame()
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        using Listener endpoint = new();
        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        await client.SendAsync("pay once"u8.ToArray());
        pair.FarIsMute = true;
        Task<TcpForwardResult> forward = pair.ForwardAsync(accepted, endpoint.Address);
        using Socket server = await endpoint.AcceptAsync();
        byte[] got = new byte[8];
        Assert.Equal(8, await server.ReceiveAsync(got)); // delivered, though nobody here knows it
        pair.CutConnection();
        TcpForwardResult result = await forward;
        Assert.Equal((DialStatus.Lost, 0), (result.Status, result.Unsent.Length));
        SocketException error = await Assert.ThrowsAsync<SocketException>(async () => await client.ReceiveAsync(got).WaitAsync(StreamPair.Patience));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        client.Dispose();
    }

    [Fact]
    public async Task KeepsEarlyBytesWithinItsBound()
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        IPEndPoint dead;
        using (Listener gone = new())
        {
            dead = gone.Address;
        }

        (Socket client, Socket accepted) = await Listener.ConnectedAsync();
        Task sending = SendAllAsync(client, new byte[1_000_000]);
        TcpForwardResult refused = await pair.ForwardAsync(accepted, dead);
        Assert.Equal(DialStatus.Refused, refused.Status);
        Assert.InRange(refused.Unsent.Length, 0, 64 * 1024);

        // Nothing is lost between what was kept and what is still in the socket.
        using Listener endpoint = new();
        Task<TcpForwardResult> second = pair.ForwardAsync(accepted, endpoint.Address, refused.Unsent);
        using Socket server = await endpoint.AcceptAsync();
        Assert.Equal(1_000_000, (await ReadAllAsync(server)).Length);
        await sending;
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal(DialStatus.Ok, (await second).Status);
        client.Dispose();
    }

    private static async Task SendAllAsync(Socket socket, byte[] data)
    {
        for (int at = 0; at < data.Length;)
        {
            at += await socket.SendAsync(data.AsMemory(at));
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReadAllAsync(Socket socket)
    {
        using CancellationTokenSource limit = new(StreamPair.Patience);
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        while (await socket.ReceiveAsync(buffer, limit.Token) is > 0 and int length)
        {
            all.Write(buffer, 0, length);
        }

        return all.ToArray();
    }
}
