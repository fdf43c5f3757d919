using EdgeMesh.Model;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class RelayWireTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void MeshAddressIsTheHashOfTheName() =>
        Assert.Equal("b4baca894ba024f0", MeshAddress.Of(NodeName.Parse("edge1")).ToString());

    [Fact]
    public void HaveTheirBytes()
    {
        byte[] frame = new byte[RelayFrame.HeaderLength];
        new RelayFrame(new MeshAddress(0x0102030405060708), 0x1112131415161718).WriteHeader(frame);
        Assert.Equal("0810" + "0102030405060708" + "1112131415161718", WireCase.Hex(frame));
        Assert.Equal("0910" + "00000000000000aa" + "00000000000000bb" + "701cf6f909e6c2b917aba7b876c13c3f", WireCase.Hex(Hello()));
        Assert.StartsWith("0a10" + "00000000000000bb" + "04" + "1f90" + "c0000207", WireCase.Hex(Answer()), StringComparison.Ordinal);
        Assert.Equal("0b10" + "0102030405060708", WireCase.Hex(Gone()));
    }

    [Fact]
    public void ComeBackAsTheyWent()
    {
        byte[] frame = new byte[40];
        RelayFrame sent = new(new MeshAddress(7), 8);
        sent.WriteHeader(frame);
        Assert.True(RelayFrame.TryRead(frame, out RelayFrame read));
        Assert.Equal(sent, read);

        Assert.True(RelayHello.TryRead(Hello(), out RelayHello hello));
        Assert.Equal(new RelayHello(0xAA, 0xBB), hello);
        Assert.True(RelayHello.Verify(Hello(), Key));

        Assert.True(RelayHelloAnswer.TryRead(Answer(), out RelayHelloAnswer answer));
        Assert.Equal(new RelayHelloAnswer(0xBB, WireCase.Address("192.0.2.7:8080")), answer);
        Assert.True(RelayHelloAnswer.Verify(Answer(), Key));

        Assert.Equal("0c10" + "0102030405060708", WireCase.Hex(Wanted()));
        Assert.True(HelloWanted.TryRead(Wanted(), out ulong session));
        Assert.Equal(0x0102030405060708ul, session);
        Assert.True(PeerGone.TryRead(Gone(), out MeshAddress gone));
        Assert.Equal(0x0102030405060708ul, gone.Value);
    }

    [Fact]
    public void KnowTheirLengths()
    {
        WireCase.RefusesEveryPrefix(Hello(), m => RelayHello.TryRead(m, out _));
        WireCase.RefusesEveryPrefix(Answer(), m => RelayHelloAnswer.TryRead(m, out _));
        WireCase.RefusesEveryPrefix(Gone(), m => PeerGone.TryRead(m, out _));
        WireCase.NeverWritesPastItsTarget(RelayHello.Length, (room, size) => new RelayHello(1, 2).Write(room.AsSpan(0, size), Key));
        WireCase.RefusesEveryPrefix(Wanted(), m => HelloWanted.TryRead(m, out _));
        WireCase.NeverWritesPastItsTarget(HelloWanted.Length, (room, size) => HelloWanted.Write(room.AsSpan(0, size), 9));
        WireCase.NeverWritesPastItsTarget(PeerGone.Length, (room, size) => PeerGone.Write(room.AsSpan(0, size), new MeshAddress(9)));
    }

    [Fact]
    public void AnyChangedByteBreaksTheSeal()
    {
        byte[] hello = Hello();
        for (int i = 0; i < hello.Length; i++)
        {
            hello[i] ^= 0x40;
            Assert.False(RelayHello.Verify(hello, Key));
            hello[i] ^= 0x40;
        }

        Assert.True(RelayHello.Verify(hello, Key));
    }

    [Fact]
    public void MutatedBytesNeverThrow()
    {
        WireCase.MutatedBytesNeverThrow(Hello(), m => RelayHello.TryRead(m, out _) && RelayHello.Verify(m, Key));
        WireCase.MutatedBytesNeverThrow(Answer(), m => RelayHelloAnswer.TryRead(m, out _) && RelayHelloAnswer.Verify(m, Key));
        WireCase.MutatedBytesNeverThrow(Gone(), m => PeerGone.TryRead(m, out _));
        WireCase.MutatedBytesNeverThrow(new byte[30], m => RelayFrame.TryRead(m, out _));
    }

    private static byte[] Wanted()
    {
        byte[] message = new byte[HelloWanted.Length];
        Assert.Equal(HelloWanted.Length, HelloWanted.Write(message, 0x0102030405060708));
        return message;
    }

    [Fact]
    public void RecordsComeOutAsTheyWentIn()
    {
        byte[] message = new byte[100];
        int length = RelayRecords.Write(message, [1, 2, 3]);
        length += RelayRecords.Write(message.AsSpan(length), []);
        length += RelayRecords.Write(message.AsSpan(length), [9]);
        Assert.Equal("0003010203" + "0000" + "000109", WireCase.Hex(message.AsSpan(0, length)));
        ReadOnlySpan<byte> rest = message.AsSpan(0, length);
        List<string> frames = [];
        while (RelayRecords.TryTake(ref rest, out ReadOnlySpan<byte> frame))
        {
            frames.Add(WireCase.Hex(frame));
        }

        Assert.Equal(["010203", "", "09"], frames);
        Assert.True(rest.IsEmpty);
        ReadOnlySpan<byte> cut = message.AsSpan(0, 4);
        Assert.False(RelayRecords.TryTake(ref cut, out _));
        Assert.Equal(0, RelayRecords.Write(new byte[4], [1, 2, 3]));
    }

    [Theory]
    [InlineData(0x00, PacketKind.Stun)]
    [InlineData(0x04, PacketKind.Probe)]
    [InlineData(0x08, PacketKind.RelayData)]
    [InlineData(0x09, PacketKind.RelayHello)]
    [InlineData(0x0A, PacketKind.RelayHelloAnswer)]
    [InlineData(0x0B, PacketKind.PeerGone)]
    [InlineData(0x0C, PacketKind.HelloWanted)]
    [InlineData(0x0D, PacketKind.Unknown)]
    [InlineData(0x3F, PacketKind.Unknown)]
    [InlineData(0x40, PacketKind.Quic)]
    [InlineData(0x7F, PacketKind.Quic)]
    [InlineData(0x80, PacketKind.Unknown)]
    [InlineData(0xC3, PacketKind.Quic)]
    public void FirstByteTellsWhatItIs(byte first, PacketKind kind) => Assert.Equal(kind, PacketKinds.Of([first, 0x10]));

    [Fact]
    public void AnotherVersionIsToldByNumber()
    {
        Assert.True(PacketKinds.IsForeignVersion([0x08, 0x20], out int version));
        Assert.Equal(2, version);
        Assert.False(PacketKinds.IsForeignVersion([0x08, 0x10], out _));
        Assert.False(PacketKinds.IsForeignVersion([0x40, 0x20], out _));
    }

    private static byte[] Hello()
    {
        byte[] message = new byte[RelayHello.Length];
        Assert.Equal(message.Length, new RelayHello(0xAA, 0xBB).Write(message, Key));
        return message;
    }

    private static byte[] Answer()
    {
        byte[] message = new byte[RelayHelloAnswer.MaxLength];
        return message[..new RelayHelloAnswer(0xBB, WireCase.Address("192.0.2.7:8080")).Write(message, Key)];
    }

    private static byte[] Gone()
    {
        byte[] message = new byte[PeerGone.Length];
        PeerGone.Write(message, new MeshAddress(0x0102030405060708));
        return message;
    }
}
