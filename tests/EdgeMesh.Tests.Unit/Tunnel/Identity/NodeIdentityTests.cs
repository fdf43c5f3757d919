using EdgeMesh.Model;
using EdgeMesh.Tests.Unit.Tunnel.EndToEnd;
using EdgeMesh.Tunnel;
using EdgeMesh.Tunnel.Identity;
using EdgeMesh.Tunnel.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.Identity;

/// <summary>Enrolment against a real server.</summary>
public sealed class NodeIdentityTests(ITestOutputHelper output) : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tunnel-identity-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task EnrolsOnceAndNeedsNoTokenAfterwards()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        using NodeIdentity first = await EnrolAsync(mesh, "edge1", mesh.NewToken());
        using NodeIdentity second = await EnrolAsync(mesh, "edge1", null);
        Assert.Equal((first.CertificatePem, first.KeyPem), (second.CertificatePem, second.KeyPem));
        Assert.InRange(first.NotAfter - DateTimeOffset.UtcNow, TimeSpan.FromDays(80), TimeSpan.FromDays(91));
        Assert.InRange(first.RenewAt - DateTimeOffset.UtcNow, TimeSpan.FromDays(50), TimeSpan.FromDays(61));
        foreach (string file in (string[])["node.key", "node.crt", "ca.crt", "reset.key"])
        {
#pragma warning disable CA1416 // the product runs on Linux only
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(root, "edge1", file)));
#pragma warning restore CA1416
        }
    }

    [Fact]
    public async Task RenewsWithItsOldCertificate()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        using NodeIdentity identity = await EnrolAsync(mesh, "edge1", mesh.NewToken());
        string before = identity.CertificatePem;
        await identity.RenewAsync([ServerAddress.Parse(mesh.ServerText)], null, null, CancellationToken.None);
        Assert.NotEqual(before, identity.CertificatePem);
        using NodeIdentity loaded = await EnrolAsync(mesh, "edge1", null);
        Assert.Equal(identity.CertificatePem, loaded.CertificatePem);
    }

    [Fact]
    public async Task ATakenNameSaysHowToFreeIt()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        using NodeIdentity first = await EnrolAsync(mesh, "edge1", mesh.NewToken());
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => EnrolAsync(mesh, "edge1", mesh.NewToken(), "other"));
        Assert.Equal(MeshExit.Refused, fault.Exit);
        Assert.Contains("edgemesh node forget edge1", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EveryBadTokenIsRefusedInOneLine()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        Assert.True(JoinToken.TryParse(mesh.NewToken(), out JoinToken? good));
        foreach ((string token, string part) in ((string, string)[])
            [
                ("nonsense", "(8 characters) is malformed"),
                (JoinToken.Create(good.Fingerprint).Reveal(), "is not known"),
                (mesh.NewToken(TimeSpan.FromDays(1), 1, "edge7"), "another node"),
            ])
        {
            MeshException fault = await Assert.ThrowsAsync<MeshException>(() => EnrolAsync(mesh, "edge1", token));
            Assert.Equal(MeshExit.Refused, fault.Exit);
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', fault.Message);
        }

        string once = mesh.NewToken(TimeSpan.FromDays(1), 1, null);
        using NodeIdentity first = await EnrolAsync(mesh, "edge2", once);
        MeshException usedUp = await Assert.ThrowsAsync<MeshException>(() => EnrolAsync(mesh, "edge3", once));
        Assert.Equal(MeshExit.Refused, usedUp.Exit);
        Assert.Contains("as often as it may", usedUp.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherMeshsServerIsRefusedByTheTokensFingerprint()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        MeshException fault = await Assert.ThrowsAsync<MeshException>(
            () => EnrolAsync(mesh, "edge1", JoinToken.Create(new byte[32]).Reveal()));
        Assert.Equal(MeshExit.Refused, fault.Exit);
        Assert.Contains($"{mesh.ServerText} (a certificate of another CA", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnreachableServerNamesEveryAddressAndWhy()
    {
        int port = TestMesh.FreePort();
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => LoadAsync($"127.0.0.1:{port}", "edge1", JoinToken.Create(new byte[32]).Reveal()));
        Assert.Equal(MeshExit.Unreachable, fault.Exit);
        foreach (int tried in (int[])[port, 443])
        {
            Assert.Contains($"127.0.0.1:{tried} (", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task WithoutTokenAndCertificateItSaysWhatToDo()
    {
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => LoadAsync("127.0.0.1", "edge1", null));
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Contains("edgemesh token create", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStateDirectoryIsOneNodes()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        using NodeIdentity first = await EnrolAsync(mesh, "edge1", mesh.NewToken());
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => EnrolAsync(mesh, "edge2", null, "edge1"));
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Contains("belongs to node 'edge1', not 'edge2'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MeshTimeNeverGoesBack()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));
        string path = Path.Combine(root, "clock");
        MeshClock clock = new(time, path, NullLogger.Instance);
        clock.Keep();
        FakeTimeProvider reset = new(DateTimeOffset.UnixEpoch);
        MeshClock later = new(reset, path, NullLogger.Instance);
        Assert.Equal(time.GetUtcNow(), later.Now);
        later.Observe(time.GetUtcNow().AddDays(3));
        Assert.Equal(time.GetUtcNow().AddDays(3), later.Now);
    }

    [Theory]
    [InlineData("host", "host", "20006,443")]
    [InlineData("host:443", "host", "443")]
    [InlineData("host:7000", "host", "7000,443")]
    [InlineData("[2001:db8::1]:7000", "2001:db8::1", "7000,443")]
    [InlineData("2001:db8::1", "2001:db8::1", "20006,443")]
    [InlineData("192.0.2.1", "192.0.2.1", "20006,443")]
    public void ReadsServerAddresses(string text, string host, string ports)
    {
        ServerAddress address = ServerAddress.Parse(text);
        Assert.Equal((host, ports), (address.Host, string.Join(',', address.Ports)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:70000")]
    [InlineData("ho st")]
    [InlineData("https://host")]
    public void RefusesWhatIsNoServerAddress(string text) =>
        Assert.Equal(MeshExit.Usage, Assert.Throws<MeshException>(() => ServerAddress.Parse(text)).Exit);

    private Task<NodeIdentity> EnrolAsync(TestMesh mesh, string node, string? token, string? directory = null) =>
        LoadAsync(mesh.ServerText, node, token, directory);

    private Task<NodeIdentity> LoadAsync(string server, string node, string? token, string? directory = null) => NodeIdentity.LoadOrEnrollAsync(
        new EnrollOptions
        {
            NodeName = NodeName.Parse(node),
            StateDirectory = Path.Combine(root, directory ?? node),
            Servers = [server],
            Token = token,
            SocketMark = null,
        },
        TimeProvider.System,
        NullLogger.Instance,
        CancellationToken.None);
}
