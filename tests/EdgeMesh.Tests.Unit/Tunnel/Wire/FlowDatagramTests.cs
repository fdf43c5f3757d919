using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class FlowDatagramTests
{
    [Fact]
    public void HasItsBytes()
    {
        Assert.Equal("00000102" + "00" + "6869", WireCase.Hex(Bytes(new FlowDatagram { Flow = 0x102, Flags = FlowFlags.None, Payload = "hi"u8 })));
        Assert.Equal(
            "00000102" + "08" + "0007" + "01" + "03" + "6869",
            WireCase.Hex(Bytes(new FlowDatagram { Flow = 0x102, Flags = FlowFlags.Fragment, Message = 7, Index = 1, Count = 3, Payload = "hi"u8 })));
        Assert.Equal(
            "00000102" + "04" + "03",
            WireCase.Hex(Bytes(new FlowDatagram { Flow = 0x102, Flags = FlowFlags.Refused, Status = DialStatus.NotMine })));
        Assert.Equal("00000102" + "01" + WireCase.Hex(ServiceHeaderTests.Header()) + "6869", WireCase.Hex(Open()));
    }

    [Fact]
    public void ComesBackAsItWent()
    {
        Assert.True(FlowDatagram.TryRead(Open(), out FlowDatagram open));
        Assert.Equal((0x102u, FlowFlags.Open), (open.Flow, open.Flags));
        Assert.Equal(WireCase.Address("172.17.0.2:8080"), open.Header.Endpoint);
        Assert.True(open.Payload.SequenceEqual("hi"u8));

        byte[] pieces = Bytes(new FlowDatagram { Flow = 9, Flags = FlowFlags.Fragment | FlowFlags.Opened, Message = 65535, Index = 2, Count = 3 });
        Assert.True(FlowDatagram.TryRead(pieces, out FlowDatagram piece));
        Assert.Equal((65535, 2, 3), (piece.Message, piece.Index, piece.Count));
        Assert.True(piece.Payload.IsEmpty);
    }

    [Fact]
    public void KnowsItsLength()
    {
        byte[] refused = [0, 0, 0, 1, 4, 1];
        WireCase.RefusesEveryPrefix(refused, m => FlowDatagram.TryRead(m, out _));
        Assert.False(FlowDatagram.TryRead([.. refused, 0], out _));
        byte[] open = Open();
        for (int length = 0; length < open.Length - 2; length++)
        {
            Assert.False(FlowDatagram.TryRead(open.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void APieceBeyondTheCountIsRefused()
    {
        Assert.False(FlowDatagram.TryRead([0, 0, 0, 1, 8, 0, 0, 3, 3], out _));
        Assert.False(FlowDatagram.TryRead([0, 0, 0, 1, 8, 0, 0, 0, 0], out _));
        Assert.False(FlowDatagram.TryRead([0, 0, 0, 1, 16], out _));
    }

    [Fact]
    public void MutatedBytesNeverThrow() => WireCase.MutatedBytesNeverThrow(Open(), m => FlowDatagram.TryRead(m, out _));

    private static byte[] Open()
    {
        ServiceHeader.TryRead(ServiceHeaderTests.Header(), out ServiceHeader header, out _, out _);
        return Bytes(new FlowDatagram { Flow = 0x102, Flags = FlowFlags.Open, Header = header, Payload = "hi"u8 });
    }

    private static byte[] Bytes(FlowDatagram datagram)
    {
        byte[] room = new byte[1500];
        return room[..datagram.Write(room)];
    }
}
