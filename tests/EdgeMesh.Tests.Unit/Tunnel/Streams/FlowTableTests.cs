using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Channels;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Tunnel.Streams;

public class FlowTableTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1200)]
    [InlineData(1473)]
    [InlineData(9000)]
    [InlineData(65507)]
    public async Task KeepsTheBoundariesOfDatagrams(int bytes)
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        using Socket echo = Echo();
        Channel<byte[]> replies = Channel.CreateUnbounded<byte[]>();
        using UdpFlow flow = pair.NearFlows.Open(
            StreamPair.Target((IPEndPoint)echo.LocalEndPoint!, TransportProtocol.Udp), payload => replies.Writer.TryWrite(payload.ToArray()));
        byte[] sent = RandomNumberGenerator.GetBytes(bytes);
        flow.Send(sent);
        Assert.Equal(sent, await replies.Reader.ReadAsync().AsTask().WaitAsync(StreamPair.Patience));
        flow.Send(sent); // the flow is open by now
        Assert.Equal(sent, await replies.Reader.ReadAsync().AsTask().WaitAsync(StreamPair.Patience));
    }

    [Fact]
    public async Task SaysWhenTheFarNodeDoesNotHaveTheEndpoint()
    {
        await using StreamPair pair = new() { IsMine = (_, _) => false };
        await pair.ConnectAsync();
        using UdpFlow flow = pair.NearFlows.Open(StreamPair.Target(new IPEndPoint(IPAddress.Loopback, 9), TransportProtocol.Udp), _ => { });
        flow.Send([1]);
        await Eventually.HoldsAsync(() => flow.Status != DialStatus.Ok);
        Assert.Equal(DialStatus.NotMine, flow.Status);
    }

    [Fact]
    public async Task TheFarAgentIsBusyBeforeItsLastFileIsTaken()
    {
        await using StreamPair pair = new(files: 4);
        await pair.ConnectAsync();
        using Socket echo = Echo();
        using UdpFlow flow = pair.NearFlows.Open(StreamPair.Target((IPEndPoint)echo.LocalEndPoint!, TransportProtocol.Udp), _ => { });
        flow.Send([1]);
        await Eventually.HoldsAsync(() => flow.Status != DialStatus.Ok);
        Assert.Equal(DialStatus.Busy, flow.Status);
    }

    [Fact]
    public async Task LosesNothingOfABurstThatFitsItsQueues()
    {
        await using StreamPair pair = new();
        await pair.ConnectAsync();
        using Socket echo = Echo();
        Channel<byte[]> replies = Channel.CreateUnbounded<byte[]>();
        using UdpFlow flow = pair.NearFlows.Open(
            StreamPair.Target((IPEndPoint)echo.LocalEndPoint!, TransportProtocol.Udp), payload => replies.Writer.TryWrite(payload.ToArray()));
        for (int i = 0; i < 500; i++)
        {
            flow.Send(BitConverter.GetBytes(i));
        }

        HashSet<int> seen = [];
        while (seen.Count < 500)
        {
            seen.Add(BitConverter.ToInt32(await replies.Reader.ReadAsync().AsTask().WaitAsync(StreamPair.Patience)));
        }

        Assert.Equal(500, seen.Count);
    }

    private static Socket Echo()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Thread thread = new(() =>
        {
            byte[] buffer = new byte[65536];
            try
            {
                while (true)
                {
                    EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                    int length = socket.ReceiveFrom(buffer, ref from);
                    socket.SendTo(buffer.AsSpan(0, length), SocketFlags.None, from);
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        })
        { IsBackground = true };
        thread.Start();
        return socket;
    }
}
