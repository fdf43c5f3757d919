using System.Text;
using EdgeMesh.Tests.Unit.Tunnel.Wire;
using EdgeMesh.Tunnel.Identity;

namespace EdgeMesh.Tests.Unit.Tunnel.Identity;

public class ProxyAnswerTests
{
    private const string Refusal =
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"a, b\"\r\nContent-Length: 5\r\n\r\n";

    [Fact]
    public void ReadsTheHeadAndNothingBehindIt()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(Refusal + "hello");
        Assert.True(ProxyAnswer.TryRead(bytes, out int length, out ProxyAnswer? answer));
        Assert.Equal((Refusal.Length, 407, "Proxy Authentication Required"), (length, answer!.Status, answer.Reason));
        Assert.Equal(["NTLM", "Basic"], answer.Schemes);
        Assert.False(answer.IsOpen);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 Connection established\r\n\r\n", true, false)]
    [InlineData("HTTP/1.0 204\r\nVia: x\r\n\r\n", true, false)]
    [InlineData("HTTP/1.1 103 Early Hints\r\n\r\n", false, true)]
    [InlineData("HTTP/1.1 301 Moved\r\n\r\n", false, false)]
    public void AnyTwoHundredOpens(string head, bool isOpen, bool isInterim)
    {
        Assert.True(ProxyAnswer.TryRead(Encoding.ASCII.GetBytes(head), out _, out ProxyAnswer? answer));
        Assert.Equal((isOpen, isInterim), (answer!.IsOpen, answer.IsInterim));
    }

    [Fact]
    public void AnIncompleteHeadIsNoAnswerYet()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(Refusal);
        WireCase.RefusesEveryPrefix(bytes, part => ProxyAnswer.TryRead(part, out _, out ProxyAnswer? answer) && answer is not null);
        Assert.All(Enumerable.Range(0, bytes.Length), length => Assert.True(ProxyAnswer.TryRead(bytes.AsSpan(0, length), out _, out _)));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    [InlineData("HTTP/1.1\r\n\r\n")]
    public void OtherProtocolsAreNone(string text) => Assert.False(ProxyAnswer.TryRead(Encoding.ASCII.GetBytes(text), out _, out _));

    [Fact]
    public void AHeadWithoutAnEndIsNone()
    {
        byte[] bytes = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nX: ".PadRight(ProxyAnswer.MaxHead, 'x'));
        Assert.True(ProxyAnswer.TryRead(bytes.AsSpan(0, bytes.Length - 1), out _, out _));
        Assert.False(ProxyAnswer.TryRead(bytes, out _, out _));
    }

    [Fact]
    public void MutatedBytesNeverThrow() =>
        WireCase.MutatedBytesNeverThrow(Encoding.ASCII.GetBytes(Refusal), part => ProxyAnswer.TryRead(part, out _, out ProxyAnswer? answer) && answer is not null);
}
