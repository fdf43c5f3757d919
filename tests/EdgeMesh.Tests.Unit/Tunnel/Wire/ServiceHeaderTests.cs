using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class ServiceHeaderTests
{
    private const string Snapshot =
        "0022" + "01" + "06" + "041f90ac110002" + "04c350ac110003" + "07" + "64656661756c74" + "09" + "76696465" + "6f2d617069";

    [Fact]
    public void HasItsBytes() => Assert.Equal(Snapshot, WireCase.Hex(Header()));

    [Fact]
    public void ComesBackAsItWentAndLeavesThePayload()
    {
        byte[] stream = [.. Header(), 1, 2, 3];
        Assert.True(ServiceHeader.TryRead(stream, out ServiceHeader header, out int length, out _));
        Assert.Equal(Header().Length, length);
        Assert.Equal(TransportProtocol.Tcp, header.Protocol);
        Assert.Equal((WireCase.Address("172.17.0.2:8080"), WireCase.Address("172.17.0.3:50000")), (header.Endpoint, header.Client));
        Assert.True(header.Namespace.SequenceEqual("default"u8));
        Assert.True(header.Service.SequenceEqual("video-api"u8));
    }

    [Fact]
    public void SaysHowManyBytesItNeeds()
    {
        byte[] header = Header();
        Assert.False(ServiceHeader.TryRead(header.AsSpan(0, 1), out _, out _, out int need));
        Assert.Equal(2, need);
        Assert.False(ServiceHeader.TryRead(header.AsSpan(0, 9), out _, out _, out need));
        Assert.Equal(header.Length, need);
        Assert.False(ServiceHeader.TryRead([0x7F, 0xFF, 1], out _, out _, out need));
        Assert.Equal(0, need);
        WireCase.RefusesEveryPrefix(header, m => ServiceHeader.TryRead(m, out _, out _, out _));
        WireCase.NeverWritesPastItsTarget(header.Length, (room, size) => Write(room.AsSpan(0, size)));
    }

    [Fact]
    public void TheLongestNamesFit()
    {
        byte[] longest = [.. Enumerable.Repeat((byte)'a', 255)];
        ServiceHeader header = new()
        {
            Protocol = TransportProtocol.Udp,
            Endpoint = WireCase.Address("[2001:db8::1]:1"),
            Client = WireCase.Address("[2001:db8::2]:2"),
            Namespace = longest,
            Service = longest,
        };
        Assert.InRange(header.Write(new byte[ServiceHeader.MaxLength]), 1, ServiceHeader.MaxLength);
    }

    [Fact]
    public void MutatedBytesNeverThrow() =>
        WireCase.MutatedBytesNeverThrow(Header(), m => ServiceHeader.TryRead(m, out _, out _, out _));

    internal static byte[] Header()
    {
        byte[] room = new byte[ServiceHeader.MaxLength];
        return room[..Write(room)];
    }

    private static int Write(Span<byte> room) => new ServiceHeader
    {
        Protocol = TransportProtocol.Tcp,
        Endpoint = WireCase.Address("172.17.0.2:8080"),
        Client = WireCase.Address("172.17.0.3:50000"),
        Namespace = "default"u8,
        Service = "video-api"u8,
    }.Write(room);
}
