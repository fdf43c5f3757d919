using System.Net.Sockets;
using System.Text;
using EdgeMesh.App.Ops;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.App;

public sealed class OperatorSocketTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("app-op-").FullName;
    private readonly SmallListener listener;

    public OperatorSocketTests() => listener = Open();

    private string SocketPath => Path.Combine(folder, "agent.sock");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await listener.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task CarriesLinesToTheVerb()
    {
        List<string> lines = [];
        await foreach (string line in Client().AskAsync(new OperatorRequest("ping", "edge1", 3), CancellationToken.None))
        {
            lines.Add(line);
        }

        Assert.Equal(["{\"n\":0,\"to\":\"edge1\"}", "{\"n\":1,\"to\":\"edge1\"}", "{\"n\":2,\"to\":\"edge1\"}"], lines);
    }

    [Fact]
    public async Task CarriesAFaultWithItsExitStatus()
    {
        MeshException e = await Assert.ThrowsAsync<MeshException>(
            () => Client().AskOnceAsync(new OperatorRequest("ping", "nobody", 1), CancellationToken.None));
        Assert.Equal(MeshExit.Unreachable, e.Exit);
        Assert.Equal("no \"nobody\"", e.Message);
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void OnlyTheOwnerMayOpenIt() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));

    [Fact]
    public void ASecondProcessInTheSameStateDirIsRefused()
    {
        MeshException e = Assert.Throws<MeshException>(Open);
        Assert.Contains(folder, e.Message, StringComparison.Ordinal);
        Assert.Contains("another edgemesh process", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStaleSocketFileIsReplacedAndRemovedAtTheEnd()
    {
        string other = Path.Combine(folder, "stale.sock");
        using (Socket left = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // The platform removes the file of a socket it closes; a killed process does not.
            left.Bind(new UnixDomainSocketEndPoint(other + ".old"));
            File.Move(other + ".old", other);
        }

        Assert.True(File.Exists(other));
        await using (SmallListener.Unix(other, TimeSpan.FromSeconds(5), (_, _) => Task.CompletedTask, NullLogger.Instance))
        {
            Assert.True(File.Exists(other));
        }

        Assert.False(File.Exists(other));
    }

    [Theory]
    [InlineData("nonsense\n", "\"exit\":2")]
    [InlineData("{}\n", "\"exit\":2")]
    [InlineData("{\"verb\":5}\n", "\"exit\":2")]
    public async Task NonsenseGetsAFault(string request, string expected)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        await socket.SendAsync(Encoding.UTF8.GetBytes(request));
        using StreamReader reader = new(new NetworkStream(socket, ownsSocket: false));
        Assert.Contains(expected, await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    private OperatorClient Client() => new(folder, "agent.sock", "agent");

    private SmallListener Open()
    {
        OperatorSocket socket = new(async (request, reply, stop) =>
        {
            if (request.Subject == "nobody")
            {
                throw new MeshException(MeshExit.Unreachable, "no \"nobody\"");
            }

            for (int i = 0; i < request.Count; i++)
            {
                await reply(Encoding.UTF8.GetBytes($"{{\"n\":{i},\"to\":\"{request.Subject}\"}}"), stop);
            }
        });
        SmallListener made = SmallListener.Unix(SocketPath, TimeSpan.FromSeconds(20), socket.ServeAsync, NullLogger.Instance);
        made.Start();
        return made;
    }
}
