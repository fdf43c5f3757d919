using System.Security.Cryptography;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Tunnel.Wire;

public sealed class JoinTokenTests
{
    private static readonly byte[] Fingerprint = SHA256.HashData("ca"u8);

    [Fact]
    public void ComesBackAsItWent()
    {
        JoinToken token = JoinToken.Create(Fingerprint);
        Assert.True(JoinToken.TryParse(" " + token.Reveal() + "\n", out JoinToken? read));
        Assert.Equal((token.Id, token.Reveal()), (read.Id, read.Reveal()));
        Assert.Equal(token.HashSecret(), read.HashSecret());
        Assert.True(read.Fingerprint.SequenceEqual(Fingerprint));
    }

    [Fact]
    public void PrintsWithoutItsSecret()
    {
        JoinToken token = JoinToken.Create(Fingerprint);
        Assert.Equal("emt1." + token.Id, token.ToString());
        Assert.Matches("^emt1\\.[A-Za-z0-9_-]{11}\\.[A-Za-z0-9_-]{43}\\.[A-Za-z0-9_-]{43}$", token.Reveal());
    }

    [Fact]
    public void RefusesWhatIsNoToken()
    {
        string good = JoinToken.Create(Fingerprint).Reveal();
        Assert.False(JoinToken.TryParse(null, out _));
        Assert.False(JoinToken.TryParse("", out _));
        Assert.False(JoinToken.TryParse("emt2" + good[4..], out _));
        Assert.False(JoinToken.TryParse(good + "=", out _));
        Assert.False(JoinToken.TryParse(good[..^1], out _));
        Assert.False(JoinToken.TryParse(good + ".x", out _));
        Assert.False(JoinToken.TryParse(new string('.', 100_000), out _));
    }

    [Fact]
    public void MutatedTextNeverThrows()
    {
        string good = JoinToken.Create(Fingerprint).Reveal();
        Random random = new(1);
        for (int round = 0; round < 20_000; round++)
        {
            char[] text = good.ToCharArray();
            text[random.Next(text.Length)] = (char)random.Next(0x180);
            bool taken = JoinToken.TryParse(new string(text), out JoinToken? read);
            Assert.True(!taken || read!.Reveal() == new string(text).Trim());
        }
    }
}
