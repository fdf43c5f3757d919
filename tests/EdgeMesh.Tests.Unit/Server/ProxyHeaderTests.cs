using System.Net;
using System.Text;

using EdgeMesh.Server.Http;
using EdgeMesh.Tests.Unit.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Server;

public class ProxyHeaderTests
{
    private const string Signature = "0d0a0d0a000d0a515549540a";
    private const string OverV4 = Signature + "2111000c" + "c6336407" + "cb00710a" + "dc04" + "01bb";
    private const string OverV6 = Signature + "21210027" + "20010db8000000000000000000000007" + "20010db8000000000000000000000001" + "dc04" + "01bb" + "040000";

    [Theory]
    [InlineData("PROXY TCP4 198.51.100.7 203.0.113.10 56324 443\r\n", "198.51.100.7:56324")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "[2001:db8::7]:56324")]
    [InlineData("PROXY UNKNOWN\r\n", null)]
    [InlineData("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", null)]
    public void ReadsTheLine(string header, string? client) => Reads(Encoding.ASCII.GetBytes(header), client);

    [Theory]
    [InlineData(OverV4, "198.51.100.7:56324")]
    [InlineData(OverV6, "[2001:db8::7]:56324")]
    [InlineData(Signature + "2000000c" + "c6336407" + "cb00710a" + "dc04" + "01bb", null)] // LOCAL: a health check
    [InlineData(Signature + "21310000", null)] // AF_UNIX
    public void ReadsTheBinaryForm(string hex, string? client) => Reads(Convert.FromHexString(hex), client);

    [Theory]
    [InlineData("PROXY TCP4 2001:db8::7 203.0.113.10 56324 443\r\n")]
    [InlineData("PROXY TCP6 198.51.100.7 203.0.113.10 56324 443\r\n")]
    [InlineData("PROXY TCP4 198.51.100.7 203.0.113.10 66324 443\r\n")]
    [InlineData("PROXY TCP4 198.51.100.7\r\n")]
    [InlineData("PROXY UDP4 198.51.100.7 203.0.113.10 56324 443\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n")]
    [InlineData("POST / HTTP/1.1\r\n")]
    [InlineData("\r\nX")]
    public void RefusesWhatOnlyBeginsLikeOne(string text) =>
        Assert.Equal(ProxyHeaderKind.Malformed, ProxyHeader.Read(Encoding.ASCII.GetBytes(text), out _, out _));

    [Theory]
    [InlineData(Signature + "3111000cc6336407cb00710adc0401bb")] // version 3
    [InlineData(Signature + "2211000cc6336407cb00710adc0401bb")] // an unknown command
    [InlineData(Signature + "21110008c6336407cb00710a")] // too short for its family
    [InlineData(Signature + "2111ffff")] // longer than we wait for
    public void RefusesABinaryFormThatIsWrong(string hex) =>
        Assert.Equal(ProxyHeaderKind.Malformed, ProxyHeader.Read(Convert.FromHexString(hex), out _, out _));

    [Fact]
    public void ALineWithoutAnEndIsRefused()
    {
        byte[] line = Encoding.ASCII.GetBytes("PROXY UNKNOWN ".PadRight(107, 'x'));
        Assert.Equal(ProxyHeaderKind.Incomplete, ProxyHeader.Read(line.AsSpan(0, 106), out _, out _));
        Assert.Equal(ProxyHeaderKind.Malformed, ProxyHeader.Read(line, out _, out _));
    }

    [Fact]
    public void ATlsHandshakeIsNone() => Assert.Equal(ProxyHeaderKind.None, ProxyHeader.Read([22, 3, 1, 2, 0], out _, out _));

    [Fact]
    public void EveryPrefixIsIncomplete()
    {
        byte[][] headers = [Encoding.ASCII.GetBytes("PROXY TCP4 198.51.100.7 203.0.113.10 56324 443\r\n"), Convert.FromHexString(OverV4), Convert.FromHexString(OverV6)];
        foreach (byte[] header in headers)
        {
            WireCase.RefusesEveryPrefix(header, part => ProxyHeader.Read(part, out _, out _) == ProxyHeaderKind.Read);
            Assert.All(Enumerable.Range(0, header.Length), length =>
                Assert.Equal(ProxyHeaderKind.Incomplete, ProxyHeader.Read(header.AsSpan(0, length), out _, out _)));
        }
    }

    [Fact]
    public void MutatedBytesNeverThrow()
    {
        WireCase.MutatedBytesNeverThrow(Encoding.ASCII.GetBytes("PROXY TCP4 198.51.100.7 203.0.113.10 56324 443\r\n"), IsRead);
        WireCase.MutatedBytesNeverThrow(Convert.FromHexString(OverV6), IsRead);
    }

    private static bool IsRead(ReadOnlySpan<byte> bytes)
    {
        ProxyHeaderKind kind = ProxyHeader.Read(bytes, out int length, out _);
        Assert.True(kind != ProxyHeaderKind.Read || (length > 0 && length <= bytes.Length));
        return kind == ProxyHeaderKind.Read;
    }

    private static void Reads(byte[] header, string? client)
    {
        byte[] bytes = [.. header, 22, 3, 1];
        Assert.Equal(ProxyHeaderKind.Read, ProxyHeader.Read(bytes, out int length, out IPEndPoint? read));
        Assert.Equal((header.Length, client), (length, read?.ToString()));
    }
}
