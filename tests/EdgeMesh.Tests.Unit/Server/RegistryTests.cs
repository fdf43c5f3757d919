using System.Security.Cryptography.X509Certificates;

using EdgeMesh.Model;
using EdgeMesh.Server;
using EdgeMesh.Server.State;
using EdgeMesh.Tunnel.Wire;

using Microsoft.Extensions.Time.Testing;

namespace EdgeMesh.Tests.Unit.Server;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class RegistryTests : IDisposable
{
    private static readonly NodeName Edge1 = NodeName.Parse("edge1");
    private static readonly NodeName Edge2 = NodeName.Parse("edge2");

    private readonly TempState state = new();
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    private readonly Registry registry;

    public RegistryTests() => registry = new Registry(state.Root, time);

    public void Dispose()
    {
        registry.Dispose();
        state.Dispose();
    }

    [Fact]
    public void KeepsItsAuthorityAcrossRestarts()
    {
        byte[] first = registry.Authority.Fingerprint;
        using Registry again = new(state.Root, time);
        Assert.Equal(first, again.Authority.Fingerprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(state.PathOf("ca.key")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(state.PathOf("tokens")));

        X509BasicConstraintsExtension constraints = registry.Authority.Certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        Assert.True(constraints.CertificateAuthority && constraints.HasPathLengthConstraint && constraints.PathLengthConstraint == 0);
    }

    [Fact]
    public void FinishesAnAuthorityWhoseMakingWasCutShort()
    {
        _ = registry.Authority;
        byte[] key = File.ReadAllBytes(state.PathOf("ca.key"));
        File.Delete(state.PathOf("ca.crt"));
        using Registry again = new(state.Root, time);
        Assert.NotNull(again.Authority.Certificate);
        Assert.Equal(key, File.ReadAllBytes(state.PathOf("ca.key")));
    }

    [Fact]
    public void RefusesACertificateWithoutItsKey()
    {
        _ = registry.Authority;
        File.Delete(state.PathOf("ca.key"));
        using Registry again = new(state.Root, time);
        MeshException fault = Assert.Throws<MeshException>(again.Open);
        Assert.Contains("ca.key", fault.Message, StringComparison.Ordinal);
        Assert.Contains("backup", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesAKeyThatOthersMayRead()
    {
        _ = registry.Authority;
        File.SetUnixFileMode(state.PathOf("ca.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        using Registry again = new(state.Root, time);
        Assert.Contains("chmod 600", Assert.Throws<MeshException>(again.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KeepsNoSecretOfAToken()
    {
        NewToken token = registry.CreateToken(null, TimeSpan.FromHours(1), 1);
        string secret = token.Text.Split('.')[2];
        string file = Assert.Single(Directory.GetFiles(state.PathOf("tokens")));
        Assert.DoesNotContain(secret, File.ReadAllText(file), StringComparison.Ordinal);
        Assert.True(JoinToken.TryParse(token.Text, out JoinToken? parsed));
        Assert.Equal(registry.Authority.Fingerprint, parsed.Fingerprint.ToArray());
    }

    [Fact]
    public void CountsUsesButNotTheSameNodeTwice()
    {
        JoinToken token = Token(uses: 1);
        using TestKey key = new();
        Assert.NotNull(registry.Enroll(token, Edge1, key.Public).Certificate);
        Assert.NotNull(registry.Enroll(token, Edge1, key.Public).Certificate);
        Assert.Equal("token-used-up", Refusal(token, Edge2));
        Assert.Equal(1, Assert.Single(registry.ListTokens()).Uses);
    }

    [Fact]
    public void TellsEveryFaultOfAToken()
    {
        JoinToken token = Token();
        Assert.True(JoinToken.TryParse(Swap(token.Reveal(), 2, JoinToken.Create(new byte[32]).Reveal()), out JoinToken? otherSecret));
        Assert.Equal("token-unknown", Refusal(otherSecret, Edge1));
        Assert.Equal("token-unknown", Refusal(JoinToken.Create(new byte[32]), Edge1));
        Assert.Equal("token-other-node", Refusal(Token(node: Edge2), Edge1));

        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("token-expired", Refusal(token, Edge1));
    }

    [Fact]
    public void ForgetsATokenOnRequest()
    {
        JoinToken token = Token();
        registry.RevokeToken(token.Id);
        Assert.Equal("token-unknown", Refusal(token, Edge1));
        Assert.Contains("token list", Assert.Throws<MeshException>(() => registry.RevokeToken(token.Id)).Message, StringComparison.Ordinal);
        Assert.Throws<MeshException>(() => registry.RevokeToken("../../../x"));
    }

    [Fact]
    public void DoesNotSpendAUseOnARefusal()
    {
        using TestKey first = new();
        registry.Enroll(Token(), Edge1, first.Public);
        JoinToken token = Token(uses: 1);
        Assert.Equal("name-taken", Refusal(token, Edge1));
        using TestKey second = new();
        Assert.NotNull(registry.Enroll(token, Edge2, second.Public).Certificate);
    }

    [Fact]
    public void RefusesANameWhoseAddressAnotherHas()
    {
        using TestKey key = new();
        registry.Enroll(Token(), Edge1, key.Public);
        string file = state.PathOf($"nodes/{MeshAddress.Of(Edge1)}.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"edge1\"", "\"twin\"", StringComparison.Ordinal));
        Enrolment refused = registry.Enroll(Token(), Edge1, key.Public);
        Assert.Equal((409, "name-taken"), (refused.Error!.Status, refused.Error.Code));
        Assert.Contains("twin", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FreesAForgottenNameForAnotherKey()
    {
        using TestKey old = new();
        using X509Certificate2 certificate = old.With(registry.Enroll(Token(), Edge1, old.Public).Certificate!);
        Assert.Null(registry.Check(certificate, out _));

        registry.ForgetNode(Edge1);
        Assert.Equal("revoked", registry.Check(certificate, out _)!.Code);
        Assert.Empty(registry.ListNodes());
        using TestKey young = new();
        Assert.NotNull(registry.Enroll(Token(), Edge1, young.Public).Certificate);
        Assert.Equal("revoked", registry.Check(certificate, out _)!.Code);
        Assert.Equal(Registry.SerialOf(certificate), Assert.Single(Assert.Single(registry.RevocationsAfter(0)).Serials).Serial);
    }

    [Fact]
    public void NeverTakesARevokedKeyAgain()
    {
        using TestKey key = new();
        using X509Certificate2 certificate = key.With(registry.Enroll(Token(), Edge1, key.Public).Certificate!);
        registry.RevokeNode(Edge1);
        Assert.Equal("revoked", registry.Check(certificate, out _)!.Code);
        Assert.Equal("revoked", registry.Enroll(Token(), Edge1, key.Public).Error!.Code);
        Assert.Equal("revoked", registry.Renew(certificate, key.Public).Error!.Code);

        registry.ForgetNode(Edge1);
        Assert.Equal("revoked", registry.Enroll(Token(), Edge2, key.Public).Error!.Code);
        using TestKey young = new();
        Assert.NotNull(registry.Enroll(Token(), Edge1, young.Public).Certificate);
    }

    [Fact]
    public void RenewsForTheSameKeyOnly()
    {
        using TestKey key = new();
        using TestKey other = new();
        using X509Certificate2 certificate = key.With(registry.Enroll(Token(), Edge1, key.Public).Certificate!);
        Assert.Equal("bad-request", registry.Renew(certificate, other.Public).Error!.Code);
        using X509Certificate2 renewed = key.With(registry.Renew(certificate, key.Public).Certificate!);
        Assert.NotEqual(certificate.SerialNumber, renewed.SerialNumber);
        Assert.Null(registry.Check(certificate, out _));
        Assert.Null(registry.Check(renewed, out NodeName node));
        Assert.Equal(Edge1, node);
    }

    [Fact]
    public void AcceptsACertificateForThirtyDaysPastItsEnd()
    {
        using TestKey key = new();
        using X509Certificate2 certificate = key.With(registry.Enroll(Token(), Edge1, key.Public).Certificate!);
        time.Advance(TimeSpan.FromDays(119));
        Assert.Null(registry.Check(certificate, out _));
        time.Advance(TimeSpan.FromDays(2));
        Assert.Equal("certificate-expired", registry.Check(certificate, out _)!.Code);
    }

    [Fact]
    public void IssuesWhatTheProtocolSays()
    {
        using TestKey key = new();
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(registry.Enroll(Token(), Edge1, key.Public).Certificate!);
        Assert.Equal("CN=edge1", certificate.Subject);
        Assert.Equal(["edge1"], certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
        Assert.Equal(
            ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"],
            certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Select(oid => oid.Value));
        Assert.Equal(90, (certificate.NotAfter - time.GetUtcNow()).TotalDays, 0.1);
        Assert.True(registry.Authority.Issued(certificate));
        using X509Certificate2 foreign = key.ForeignCertificate("edge1");
        Assert.False(registry.Authority.Issued(foreign));
    }

    [Fact]
    public void ReissuesTheServersCertificateOnlyWhenItMust()
    {
        using X509Certificate2 first = registry.ServerCertificate(["192.0.2.1", "mesh.example.org"]);
        X509SubjectAlternativeNameExtension san = new(first.Extensions.Single(e => e.Oid!.Value == "2.5.29.17").RawData);
        Assert.Equal(["edgemesh-server", "mesh.example.org"], san.EnumerateDnsNames().Order());
        Assert.Equal("192.0.2.1", Assert.Single(san.EnumerateIPAddresses()).ToString());
        Assert.True(first.HasPrivateKey);

        time.Advance(TimeSpan.FromDays(59));
        using X509Certificate2 same = registry.ServerCertificate(["mesh.example.org", "192.0.2.1"]);
        Assert.Equal(first.SerialNumber, same.SerialNumber);
        using X509Certificate2 others = registry.ServerCertificate(["mesh.example.org"]);
        Assert.NotEqual(first.SerialNumber, others.SerialNumber);
        time.Advance(TimeSpan.FromDays(61));
        using X509Certificate2 renewed = registry.ServerCertificate(["mesh.example.org"]);
        Assert.NotEqual(others.SerialNumber, renewed.SerialNumber);
        Assert.False(CertificateAuthority.TryReadNode(renewed, out _));
    }

    [Fact]
    public void TwoProcessesNeverGiveAUseAwayTwice()
    {
        const int uses = 8;
        JoinToken token = Token(uses: uses);
        using Registry other = new(state.Root, time);
        Registry[] both = [registry, other];
        int enrolled = 0;
        Parallel.For(0, 24, i =>
        {
            using TestKey key = new();
            Enrolment done = both[i % 2].Enroll(token, NodeName.Parse($"node{i}"), key.Public);
            if (done.Certificate is not null)
            {
                Interlocked.Increment(ref enrolled);
            }
            else
            {
                Assert.Equal("token-used-up", done.Error!.Code);
            }
        });
        Assert.Equal(uses, enrolled);
        Assert.Equal(uses, registry.ListNodes().Count);
        Assert.Equal(uses, Assert.Single(other.ListTokens()).Uses);
    }

    [Fact]
    public void IgnoresAndRemovesWhatACrashedWriterLeft()
    {
        Token();
        string half = state.PathOf("tokens/.tmp-00000000000000000000000000000000");
        File.WriteAllText(half, "{\"id\":\"AAAA");
        Assert.Single(registry.ListTokens());
        registry.Open();
        Assert.False(File.Exists(half));
        Assert.Single(registry.ListTokens());
    }

    [Theory]
    [InlineData("tokens/AAAAAAAAAAA.json", "{\"id\":")]
    [InlineData("tokens/AAAAAAAAAAA.json", "")]
    [InlineData("nodes/0123456789abcdef.json", "null")]
    [InlineData("revocations/00000001.json", "{}")]
    [InlineData("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("ca.key", "nonsense")]
    public void RefusesADamagedFileByName(string file, string content)
    {
        _ = registry.Authority;
        File.WriteAllText(state.PathOf(file), content);
        using Registry again = new(state.Root, time);
        MeshException fault = Assert.Throws<MeshException>(again.Open);
        Assert.Contains(state.PathOf(file), fault.Message, StringComparison.Ordinal);
        Assert.Contains("damaged", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public void RefusesADirectoryThatIsAFile()
    {
        File.WriteAllText(state.PathOf("file"), "");
        using Registry wrong = new(state.PathOf("file"), time);
        Assert.Contains("--state-dir", Assert.Throws<MeshException>(wrong.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void VerbsThatOnlyReadMakeNoDirectory()
    {
        using Registry wrong = new(state.PathOf("typo"), time);
        Assert.Equal(MeshExit.Usage, Assert.Throws<MeshException>(wrong.ListTokens).Exit);
        Assert.Equal(MeshExit.Usage, Assert.Throws<MeshException>(wrong.ListNodes).Exit);
        Assert.False(Directory.Exists(state.PathOf("typo")));
    }

    private JoinToken Token(NodeName? node = null, int uses = 100)
    {
        Assert.True(JoinToken.TryParse(registry.CreateToken(node, TimeSpan.FromHours(1), uses).Text, out JoinToken? token));
        return token;
    }

    private string Refusal(JoinToken token, NodeName node)
    {
        using TestKey key = new();
        return registry.Enroll(token, node, key.Public).Error!.Code;
    }

    private static string Swap(string text, int part, string from)
    {
        string[] parts = text.Split('.');
        parts[part] = from.Split('.')[part];
        return string.Join('.', parts);
    }
}
