using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

using EdgeMesh.Model;
using EdgeMesh.Server.Http;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tests.Unit.Server;

public sealed class EnrolmentTests : IAsyncLifetime
{
    private ServerFixture server = null!;

    public async Task InitializeAsync() => server = await ServerFixture.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task GivesACertificateAndTheCa()
    {
        using TestAgent agent = server.Agent("edge1");
        (HttpStatusCode status, CertificateAnswer? good, _) = await agent.EnrollAsync(server.Token());
        Assert.Equal(HttpStatusCode.OK, status);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(good!.Certificate);
        using X509Certificate2 ca = X509Certificate2.CreateFromPem(good.Ca);
        Assert.Equal(server.Registry.Authority.Fingerprint, SHA256.HashData(ca.RawData));
        Assert.True(server.Registry.Authority.Issued(certificate));
    }

    [Fact]
    public async Task RefusesWithTheCodesOfTheProtocol()
    {
        using TestAgent agent = server.Agent("edge1");
        string used = server.Token(uses: 1);
        Assert.Equal((HttpStatusCode.OK, null), await CodeAsync(agent, used));
        using TestAgent second = server.Agent("edge2");
        Assert.Equal((HttpStatusCode.Unauthorized, "token-used-up"), await CodeAsync(second, used));
        Assert.Equal((HttpStatusCode.Unauthorized, "token-unknown"), await CodeAsync(second, JoinToken.Create(new byte[32]).Reveal()));
        Assert.Equal((HttpStatusCode.Unauthorized, "token-unknown"), await CodeAsync(second, "nonsense"));
        Assert.Equal((HttpStatusCode.Forbidden, "token-other-node"), await CodeAsync(second, server.Token(NodeName.Parse("edge3"))));

        using TestAgent imposter = server.Agent("edge1");
        (HttpStatusCode status, _, ErrorAnswer? bad) = await imposter.EnrollAsync(server.Token());
        Assert.Equal((HttpStatusCode.Conflict, "name-taken"), (status, bad!.Code));
        Assert.Contains("edgemesh node forget edge1", bad.Message, StringComparison.Ordinal);

        server.Registry.RevokeNode(NodeName.Parse("edge1"));
        Assert.Equal((HttpStatusCode.Forbidden, "revoked"), await CodeAsync(agent, server.Token()));
    }

    [Theory]
    [InlineData("{\"node\":\"edge1\",\"token\":\"t\"}")]
    [InlineData("{\"node\":null,\"token\":\"t\",\"csr\":\"c\"}")]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("[]")]
    public async Task RefusesABodyThatIsNone(string body)
    {
        using TestAgent agent = server.Agent("edge1");
        (HttpStatusCode status, _, ErrorAnswer? bad) = await agent.PostAsync("/v1/enroll", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal((HttpStatusCode.BadRequest, "bad-request"), (status, bad!.Code));
    }

    [Fact]
    public async Task RefusesALargeBody()
    {
        using TestAgent agent = server.Agent("edge1");
        (HttpStatusCode status, _, ErrorAnswer? bad) = await agent.PostAsync("/v1/enroll", new StringContent("{\"node\":\"" + new string('a', 17_000) + "\"}"));
        Assert.Equal((HttpStatusCode.BadRequest, "bad-request"), (status, bad!.Code));
        Assert.Contains("16 KiB", bad.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RefusesNamesAndKeysItMustNotCertify()
    {
        string token = server.Token();
        using TestAgent agent = server.Agent("edge1");
        using ECDsa p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using RSA rsa = RSA.Create(2048);
        string[] csrs =
        [
            "nonsense",
            new CertificateRequest("CN=x", p384, HashAlgorithmName.SHA256).CreateSigningRequestPem(),
            new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem(),
            Tampered(agent.Key.Csr()),
        ];
        foreach ((string node, string csr) in csrs.Select(csr => ("edge1", csr)).Append(("edgemesh-server", agent.Key.Csr())).Append(("Not A Name", agent.Key.Csr())))
        {
            (HttpStatusCode status, _, ErrorAnswer? bad) = await agent.PostAsync(
                "/v1/enroll", JsonContent.Create(new EnrollRequest(node, token, csr), WireJson.Default.EnrollRequest));
            Assert.Equal((HttpStatusCode.BadRequest, "bad-request"), (status, bad!.Code));
        }

        Assert.Empty(server.Registry.ListNodes());
    }

    [Fact]
    public async Task SlowsAnAddressDown()
    {
        using TestAgent agent = server.Agent("edge1");
        List<(HttpStatusCode, string?)> answers = [];
        for (int i = 0; i < EnrolLimiter.Burst + 20; i++)
        {
            answers.Add(await CodeAsync(agent, "nonsense"));
        }

        Assert.Equal((HttpStatusCode.Unauthorized, "token-unknown"), answers[0]);
        Assert.Contains((HttpStatusCode.TooManyRequests, "slow-down"), answers);
    }

    [Fact]
    public async Task RenewsWithTheCertificate()
    {
        using TestAgent agent = await EnrolledAsync("edge1");
        (HttpStatusCode status, CertificateAnswer? good, _) = await agent.RenewAsync();
        Assert.Equal(HttpStatusCode.OK, status);
        string old = agent.Certificate!.SerialNumber;
        agent.Certificate = agent.Key.With(good!.Certificate);
        Assert.NotEqual(old, agent.Certificate.SerialNumber);
        await agent.ConnectAsync();

        using TestKey other = new();
        Assert.Equal("bad-request", (await agent.RenewAsync(other)).Bad!.Code);
        agent.Certificate = null;
        Assert.Equal((HttpStatusCode.Unauthorized, "certificate-required"), Code(await agent.RenewAsync()));
    }

    [Fact]
    public async Task RefusesAForeignCertificateInTheHandshake()
    {
        using TestAgent agent = server.Agent("edge1");
        agent.Certificate = agent.Key.ForeignCertificate("edge1");
        await Assert.ThrowsAsync<HttpRequestException>(() => agent.RenewAsync());
        await Assert.ThrowsAsync<WebSocketException>(agent.ConnectAsync);
    }

    [Fact]
    public async Task RefusesRevokedAndForgottenNodes()
    {
        using TestAgent revoked = await EnrolledAsync("edge1");
        using TestAgent forgotten = await EnrolledAsync("edge2");
        server.Registry.RevokeNode(revoked.Node);
        server.Registry.ForgetNode(forgotten.Node);
        foreach (TestAgent agent in new[] { revoked, forgotten })
        {
            Assert.Equal(HttpStatusCode.Forbidden, await agent.RefusedConnectAsync());
            Assert.Equal((HttpStatusCode.Forbidden, "revoked"), Code(await agent.RenewAsync()));
        }
    }

    [Fact]
    public async Task ConnectsNobodyWithoutACertificate()
    {
        using TestAgent agent = server.Agent("edge1");
        Assert.Equal(HttpStatusCode.Unauthorized, await agent.RefusedConnectAsync());
    }

    [Fact]
    public async Task KnowsNoOtherRequests()
    {
        using TestAgent agent = server.Agent("edge1");
        Assert.Equal((HttpStatusCode.NotFound, "not-found"), Code(await agent.PostAsync("/v1/connect", new StringContent(""))));
        Assert.Equal((HttpStatusCode.NotFound, "not-found"), Code(await agent.PostAsync("/", new StringContent(""))));
    }

    private async Task<TestAgent> EnrolledAsync(string node)
    {
        TestAgent agent = server.Agent(node);
        agent.Certificate = agent.Key.With((await agent.EnrollAsync(server.Token())).Good!.Certificate);
        return agent;
    }

    private static async Task<(HttpStatusCode Status, string? Code)> CodeAsync(TestAgent agent, string token) => Code(await agent.EnrollAsync(token));

    private static (HttpStatusCode Status, string? Code) Code((HttpStatusCode Status, CertificateAnswer? Good, ErrorAnswer? Bad) answer) =>
        (answer.Status, answer.Bad?.Code);

    /// <summary>Another signature than the key's.</summary>
    private static string Tampered(string pem)
    {
        PemFields fields = PemEncoding.Find(pem);
        byte[] der = Convert.FromBase64String(pem[fields.Base64Data]);
        der[^1] ^= 1;
        return PemEncoding.WriteString("CERTIFICATE REQUEST", der);
    }
}
