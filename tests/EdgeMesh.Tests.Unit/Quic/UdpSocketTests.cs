using System.Net;
using System.Net.Sockets;
using EdgeMesh.Quic;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class UdpSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", true)]
    public async Task TrainsArriveWholeWithAndWithoutSegmentation(string address, bool segmentation)
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        List<byte[]> received = [];
        UdpAddress sender = default;
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IPEndPoint any = new(IPAddress.Parse(address), 0);
        using UdpSocket to = UdpSocket.Open(reactor, any, new UdpSocketOptions(), (in UdpAddress from, Span<byte> train, int segmentSize) =>
        {
            sender = from;
            for (int offset = 0; offset < train.Length; offset += segmentSize)
            {
                received.Add(train.Slice(offset, Math.Min(segmentSize, train.Length - offset)).ToArray());
            }

            if (received.Count == 101)
            {
                done.SetResult();
            }
        });
        using UdpSocket from = UdpSocket.Open(reactor, any, new UdpSocketOptions(), (in UdpAddress _, Span<byte> _, int _) => { });

        // 100 segments of 1,400 bytes and a short one: more than one system call may carry.
        byte[] train = QuicPair.RandomBytes((100 * 1400) + 33);
        reactor.Post(() =>
        {
            from.UsesSegmentation = segmentation;
            Assert.Equal(SendResult.Sent, from.Send(UdpAddress.From(to.LocalEndPoint), train, 1400));
        });
        await done.Task.WaitAsync(Patience);
        Assert.Equal(train, received.SelectMany(d => d));
        Assert.All(received.Take(100), d => Assert.Equal(1400, d.Length));
        Assert.Equal(from.LocalEndPoint, sender.ToEndPoint());
        Assert.Equal(101, from.Counters.PacketsOut);
        Assert.Equal(101, to.Counters.PacketsIn);
        Assert.Equal(segmentation ? 3 : 101, from.Counters.CallsOut);
        if (segmentation)
        {
            Assert.InRange(to.Counters.CallsIn, 1, 20);
        }
    }

    [Fact]
    public async Task KnowsSinceWhenItHasNotBeenReadEmpty()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        List<long> behind = [];
        UdpSocket? to = null;
        TaskCompletionSource<long> afterwards = new(TaskCreationOptions.RunContinuationsAsynchronously);
        to = UdpSocket.Open(reactor, new IPEndPoint(IPAddress.Loopback, 0), new UdpSocketOptions(), (in UdpAddress _, Span<byte> _, int _) =>
        {
            behind.Add(to!.Behind);
            if (behind.Count == 40)
            {
                reactor.AtEndOfTurn(() => afterwards.SetResult(to.Behind));
            }
        });
        using UdpSocket opened = to;
        Assert.Equal(0, to.Behind);

        // Sizes that grow make no trains. Three turns read one each, the fourth looks for more, and from then on a turn reads 16: the
        // sixth one reads the last.
        using Socket from = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < 40; i++)
        {
            from.SendTo(new byte[i + 1], to.LocalEndPoint);
        }

        reactor.Start();
        Assert.Equal(0, await afterwards.Task.WaitAsync(Patience));
        Assert.Equal(0, behind[18]);
        Assert.True(behind[19] > 0 && behind[39] > behind[19]);
    }

    [Fact]
    public async Task SaysTooBigAndUnreachableInsteadOfThrowing()
    {
        await using Reactor reactor = new("test", NullLogger.Instance);
        reactor.Start();
        using UdpSocket socket = UdpSocket.Open(
            reactor, new IPEndPoint(IPAddress.Loopback, 0), new UdpSocketOptions(), (in UdpAddress _, Span<byte> _, int _) => { });
        TaskCompletionSource<(SendResult Big, SendResult Gone)> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        UdpAddress self = UdpAddress.From(socket.LocalEndPoint);
        UdpAddress elsewhere = UdpAddress.From(new IPEndPoint(IPAddress.Parse("198.51.100.1"), 9));
        reactor.Post(() => result.SetResult((
            socket.Send(self, new byte[65_530], 65_530),
            socket.Send(elsewhere, new byte[10], 10))));
        (SendResult big, SendResult gone) = await result.Task.WaitAsync(Patience);
        Assert.Equal(SendResult.TooBig, big);

        // Bound to loopback: the kernel will not send that elsewhere.
        Assert.Equal(SendResult.Unreachable, gone);
    }

    [Fact]
    public void ATakenPortIsTheCallersError()
    {
        Reactor reactor = new("test", NullLogger.Instance);
        using Socket taken = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        SocketException e = Assert.Throws<SocketException>(() => UdpSocket.Open(
            reactor, (IPEndPoint)taken.LocalEndPoint!, new UdpSocketOptions(), (in UdpAddress _, Span<byte> _, int _) => { }));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
    }

    [Theory]
    [InlineData("10.1.2.3:4567")]
    [InlineData("[2001:db8::17]:65535")]
    [InlineData("[fd00::1]:1")]
    public void AddressesAreValues(string text)
    {
        IPEndPoint endPoint = IPEndPoint.Parse(text);
        UdpAddress address = UdpAddress.From(endPoint);
        Assert.Equal(endPoint, address.ToEndPoint());
        Span<byte> bytes = stackalloc byte[address.AddressLength];
        address.CopyAddress(bytes);
        Assert.Equal(address, UdpAddress.FromBytes(bytes, address.Port));
        Assert.NotEqual(address, UdpAddress.FromBytes(bytes, (ushort)(address.Port ^ 1)));
        Assert.Equal(UdpAddress.From(new IPEndPoint(IPAddress.Parse("1.2.3.4"), 5)), UdpAddress.From(new IPEndPoint(IPAddress.Parse("::ffff:1.2.3.4"), 5)));
    }
}
