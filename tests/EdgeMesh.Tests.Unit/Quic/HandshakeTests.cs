using EdgeMesh.Quic;

namespace EdgeMesh.Tests.Unit.Quic;

public sealed class HandshakeTests
{
    [Fact]
    public void LoadsTheLibrariesThisRoomWasMadeFor() => Assert.StartsWith("ngtcp2 0.12.1, GnuTLS 3.7", QuicLibrary.EnsureLoaded(), StringComparison.Ordinal);

    [Fact]
    public void NamesWhatIsMissingAndTheRemedy()
    {
        QuicUnavailableException e = Assert.Throws<QuicUnavailableException>(
            () => QuicLibrary.Load(name => !name.Contains("gnutls.so.2", StringComparison.Ordinal), () => (0, "", "")));
        Assert.Contains("libngtcp2_crypto_gnutls.so.2 is missing", e.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install libngtcp2-9", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void RefusesAnotherVersionOfTheLibrary()
    {
        QuicUnavailableException e = Assert.Throws<QuicUnavailableException>(
            () => QuicLibrary.Load(_ => true, () => (0x000d00, "0.13.0", "3.7.9")));
        Assert.Contains("is version 0.13.0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BothSidesKnowEachOther()
    {
        using QuicPair pair = new QuicPair().Connect();
        Assert.Equal("node-b", pair.ClientHandler.PeerName);
        Assert.Equal("node-a", pair.ServerHandler.PeerName);
        Assert.True(pair.Client.IsConnected && pair.Server.IsConnected);
        Assert.True(pair.Client.IsClient && !pair.Server.IsClient);
        Assert.Equal(1, pair.Accepts);
    }

    [Fact]
    public void TakesTwoRoundTrips()
    {
        using QuicPair pair = new();
        long start = pair.Driver.Now;
        pair.Connect();
        Assert.InRange((pair.Driver.Now - start) / 1e6, 20, 50);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void SurvivesLossReorderingAndDuplicates(int seed)
    {
        using QuicPair pair = new(seed);
        pair.ToServer.Loss = pair.ToClient.Loss = 0.2;
        pair.ToServer.Duplication = pair.ToClient.Duplication = 0.2;
        pair.ToServer.Reordering = pair.ToClient.Reordering = 0.2;
        pair.Connect();
    }

    [Fact]
    public void ServerRefusesAClientOfAnotherMesh()
    {
        TestPki mesh = new();
        TestPki stranger = new("stranger");
        using QuicPair pair = new(client: stranger.Issue("node-a", trusts: mesh), server: mesh.Issue("node-b"));
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 && pair.ServerHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Tls, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(QuicCloseKind.Tls, pair.ServerHandler.Closes[0].Kind);
        Assert.Equal(116u, pair.ServerHandler.Closes[0].Code);
        Assert.Equal(0, pair.ClientHandler.Connected + pair.ServerHandler.Connected);
    }

    [Fact]
    public void ServerRefusesAForgedCaOfTheSameName()
    {
        TestPki mesh = new();
        TestPki forged = new();
        using QuicPair pair = new(client: forged.Issue("node-a", trusts: mesh), server: mesh.Issue("node-b"));
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 && pair.ServerHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Tls, pair.ServerHandler.Closes[0].Kind);
        Assert.Equal(0, pair.ClientHandler.Connected + pair.ServerHandler.Connected);
        Assert.Null(pair.ServerHandler.PeerName);
    }

    [Fact]
    public void ClientRefusesAServerOfAnotherMesh()
    {
        TestPki mesh = new();
        TestPki stranger = new();
        using QuicPair pair = new(client: mesh.Issue("node-a"), server: stranger.Issue("node-b", trusts: mesh));
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 && pair.ServerHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Tls, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(42u, pair.ClientHandler.Closes[0].Code);
        Assert.Equal(0, pair.ClientHandler.Connected + pair.ServerHandler.Connected);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnExpiredCertificateIsRefusedUnlessItsOwnerJudgesTimes(bool checks)
    {
        TestPki mesh = new();
        using QuicPair pair = new(
            options: QuicPair.Options() with { CheckCertificateTimes = checks },
            client: mesh.Issue("node-a", isExpired: true),
            server: mesh.Issue("node-b"));
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 || pair.ClientHandler.Connected == 1);
        Assert.Equal(checks ? 0 : 1, pair.ClientHandler.Connected);
        Assert.Equal(checks ? null : "node-a", pair.ServerHandler.PeerName);
    }

    [Fact]
    public void AServersCertificateIsNoClientsCertificate()
    {
        TestPki mesh = new();
        using QuicPair pair = new(client: mesh.Issue("node-a", purpose: "1.3.6.1.5.5.7.3.1"), server: mesh.Issue("node-b"));
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Tls, pair.ClientHandler.Closes[0].Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheOwnerMayRefuseThePeer(bool clientRefuses)
    {
        using QuicPair pair = new();
        (clientRefuses ? pair.ClientHandler : pair.ServerHandler).Accepts = false;
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1 && pair.ServerHandler.Closes.Count == 1);
        Assert.Equal(QuicCloseKind.Tls, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(0, pair.ClientHandler.Connected + pair.ServerHandler.Connected);
    }

    [Fact]
    public void ARefusedConnectionEndsAtOnce()
    {
        using QuicPair pair = new() { AcceptsConnections = false };
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1, 5);
        Assert.Equal(QuicCloseKind.Peer, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(0, pair.ServerEndpoint.ConnectionCount);
    }

    [Fact]
    public void SilenceEndsTheHandshake()
    {
        using QuicPair pair = new();
        pair.ToServer.IsBlack = true;
        pair.Start();
        pair.Driver.Until(() => pair.ClientHandler.Closes.Count == 1, 12);
        Assert.Equal(QuicCloseKind.HandshakeTimeout, pair.ClientHandler.Closes[0].Kind);
        Assert.Equal(0, pair.ClientEndpoint.ConnectionCount);
    }

    [Fact]
    public void MoreThanTheLimitIsRefused()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { MaxConnections = 1 });
        pair.Connect();
        RecordingHandler second = new();
        pair.ClientEndpoint.Connect(pair.ToServer, second);
        pair.Driver.Until(() => second.Closes.Count == 1, 5);
        Assert.Equal(QuicCloseKind.Peer, second.Closes[0].Kind);
        Assert.True(pair.Client.IsConnected);
    }

    [Fact]
    public void AFloodOfFirstPacketsHoldsBoundedMemoryAndPasses()
    {
        using QuicPair pair = new(options: QuicPair.Options() with { MaxHandshakes = 3 });
        pair.ToClient.IsBlack = true;
        for (int i = 0; i < 10; i++)
        {
            pair.ClientEndpoint.Connect(pair.ToServer, new RecordingHandler());
        }

        pair.Driver.For(2);
        Assert.Equal(3, pair.ServerEndpoint.ConnectionCount);
        pair.Driver.For(12);
        Assert.Equal(0, pair.ServerEndpoint.ConnectionCount);
        pair.ToClient.IsBlack = false;
        pair.ServerHandler.ForgetAll();
        pair.Connect();
    }

    [Fact]
    public void UnreadableCredentialsAreNamed()
    {
        TestPki mesh = new();
        (string certificate, string key) = mesh.IssuePem("node-a");
        (_, string otherKey) = mesh.IssuePem("node-a");
        Assert.Contains("CA certificate", Assert.Throws<ArgumentException>(() => QuicCredentials.FromPem("nonsense", certificate, key)).Message, StringComparison.Ordinal);
        Assert.Contains("do not belong together", Assert.Throws<ArgumentException>(() => QuicCredentials.FromPem(mesh.CaPem, certificate, otherKey)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NewCredentialsServeNewConnections()
    {
        TestPki mesh = new();
        using QuicPair pair = new(client: mesh.Issue("node-a"), server: mesh.Issue("node-b"));
        pair.Connect();
        QuicCredentials renewed = mesh.Issue("node-b-renewed");
        pair.ServerEndpoint.UseCredentials(renewed);
        RecordingHandler second = new();
        QuicConnection connection = pair.ClientEndpoint.Connect(pair.ToServer, second);
        pair.Driver.Until(() => second.PeerName is not null);
        Assert.Equal("node-b-renewed", second.PeerName);
        Assert.True(pair.Client.IsConnected);
        renewed.Dispose();
        pair.Driver.For(1);
        Assert.True(connection.IsConnected);
    }
}
