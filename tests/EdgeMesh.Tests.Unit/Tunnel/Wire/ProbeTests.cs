using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class ProbeTests
{
    private static readonly byte[] Key = Probe.DeriveKey(new byte[32], [.. Enumerable.Repeat((byte)1, 32)]);

    private static readonly Probe Pong = new(
        ProbeKind.Pong, new MeshAddress(0x1122), new TransactionId(0x0102030405060708, 0x090A0B0C), WireCase.Address("203.0.113.5:20007"));

    [Fact]
    public void HasItsBytes() => Assert.StartsWith(
        "0412" + "0000000000001122" + "0102030405060708090a0b0c" + "04" + "4e27" + "cb007105000000000000000000000000",
        WireCase.Hex(Bytes(Pong)),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("203.0.113.5:20007", 0)]
    [InlineData("[2001:db8::1]:1", 0)]
    [InlineData(null, 1472)]
    public void ComesBackAsItWent(string? observed, int size)
    {
        Probe sent = Pong with { Kind = size > 0 ? ProbeKind.Ping : ProbeKind.Pong, Observed = observed is null ? default : WireCase.Address(observed) };
        byte[] bytes = Bytes(sent, size);
        Assert.Equal(Math.Max(size, Probe.MinLength), bytes.Length);
        Assert.True(Probe.TryRead(bytes, out Probe read));
        Assert.Equal(sent, read);
        Assert.True(Probe.Verify(bytes, Key));
    }

    [Fact]
    public void KnowsItsLength()
    {
        WireCase.RefusesEveryPrefix(Bytes(Pong), m => Probe.TryRead(m, out _));
        WireCase.NeverWritesPastItsTarget(Probe.MinLength, (room, size) => Pong.Write(room.AsSpan(0, size), Key));
    }

    [Fact]
    public void MutatedBytesNeverThrowAndNeverVerify() =>
        WireCase.MutatedBytesNeverThrow(Bytes(Pong), m =>
        {
            bool read = Probe.TryRead(m, out _);
            Assert.False(Probe.Verify(m, Key) && !m.SequenceEqual(Bytes(Pong)));
            return read;
        });

    [Fact]
    public void TheKeyDependsOnWhoseShareIsWhose()
    {
        byte[] one = [.. Enumerable.Repeat((byte)1, 32)];
        byte[] two = [.. Enumerable.Repeat((byte)2, 32)];
        Assert.NotEqual(Probe.DeriveKey(one, two), Probe.DeriveKey(two, one));
    }

    private static byte[] Bytes(Probe probe, int size = 0)
    {
        byte[] message = new byte[2000];
        return message[..probe.Write(message, Key, size)];
    }
}
