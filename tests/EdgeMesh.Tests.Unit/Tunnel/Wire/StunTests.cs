using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class StunTests
{
    private static readonly TransactionId Transaction = new(0xB7E7A701BC34D686, 0xFA87DFAE);

    // RFC 5769, section 2.2: sample IPv4 response, without MESSAGE-INTEGRITY (its key is a password we never have).
    private const string SampleIPv4Attribute = "002000080001a147e112a643";

    // RFC 5769, section 2.3: XOR-MAPPED-ADDRESS of 2001:db8:1234:5678:11:2233:4455:6677 port 32853.
    private const string SampleIPv6Attribute = "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9";

    [Fact]
    public void MasksAddressesAsTheTestVectorsDo()
    {
        Assert.Contains(SampleIPv4Attribute, WireCase.Hex(Success("192.0.2.1:32853")), StringComparison.Ordinal);
        Assert.Contains(SampleIPv6Attribute, WireCase.Hex(Success("[2001:db8:1234:5678:11:2233:4455:6677]:32853")), StringComparison.Ordinal);
    }

    [Fact]
    public void HasItsBytes()
    {
        Assert.Equal(
            "000100142112a442b7e7a701bc34d686fa87dfae" + "80220008456467654d657368" + "80280004",
            WireCase.Hex(Request())[..^8]);
        Assert.Equal(
            "010100202112a442b7e7a701bc34d686fa87dfae" + SampleIPv4Attribute + "80220008456467654d657368" + "80280004",
            WireCase.Hex(Success("192.0.2.1:32853"))[..^8]);
    }

    [Fact]
    public void ReadsTheFingerprintOfTheTestVector()
    {
        // RFC 5769, section 2.1: sample request; USERNAME, PRIORITY, ICE-CONTROLLED and MESSAGE-INTEGRITY need no answer here.
        byte[] sample = Convert.FromHexString(
            "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff"
            + "80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
            + "80280004e57a3bcf");
        Assert.True(Stun.TryReadRequest(sample, out StunRequest request));
        Assert.Equal(new StunRequest(Transaction, 0), request);
        sample[30] ^= 1;
        Assert.False(Stun.TryReadRequest(sample, out _));
    }

    [Theory]
    [InlineData("192.0.2.1:1")]
    [InlineData("[2001:db8::9]:65535")]
    public void ComesBackAsItWent(string address)
    {
        Assert.True(Stun.TryReadSuccess(Success(address), out TransactionId transaction, out WireAddress mapped));
        Assert.Equal((Transaction, WireCase.Address(address)), (transaction, mapped));
        Assert.True(Stun.TryReadRequest(Request(), out StunRequest request));
        Assert.Equal(Transaction, request.Transaction);
    }

    [Fact]
    public void ReportsAnAttributeThatMustBeUnderstood()
    {
        // CHANGE-REQUEST (RFC 5780), without fingerprint.
        byte[] message = Convert.FromHexString("000100082112a442b7e7a701bc34d686fa87dfae" + "0003000400000006");
        Assert.True(Stun.TryReadRequest(message, out StunRequest request));
        Assert.Equal(3, request.UnknownAttribute);
        byte[] answer = new byte[Stun.MaxLength];
        int length = Stun.WriteUnknownAttribute(answer, Transaction, 3);
        Assert.StartsWith(
            "011100382112a442b7e7a701bc34d686fa87dfae" + "0009001500000414" + WireCase.Hex("Unknown Attribute"u8) + "000000" + "000a000200030000",
            WireCase.Hex(answer.AsSpan(0, length)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void KnowsItsLength()
    {
        WireCase.RefusesEveryPrefix(Request(), m => Stun.TryReadRequest(m, out _));
        WireCase.RefusesEveryPrefix(Success("192.0.2.1:9"), m => Stun.TryReadSuccess(m, out _, out _));
        WireCase.NeverWritesPastItsTarget(
            Success("192.0.2.1:9").Length, (room, size) => Stun.WriteSuccess(room.AsSpan(0, size), Transaction, WireCase.Address("192.0.2.1:9")));
    }

    [Fact]
    public void MutatedBytesNeverThrow()
    {
        WireCase.MutatedBytesNeverThrow(Request(), m => Stun.TryReadRequest(m, out _));
        WireCase.MutatedBytesNeverThrow(Success("[2001:db8::9]:5"), m => Stun.TryReadSuccess(m, out _, out _));
    }

    private static byte[] Request()
    {
        byte[] message = new byte[Stun.MaxLength];
        return message[..Stun.WriteRequest(message, Transaction)];
    }

    private static byte[] Success(string address)
    {
        byte[] message = new byte[Stun.MaxLength];
        return message[..Stun.WriteSuccess(message, Transaction, WireCase.Address(address))];
    }
}
