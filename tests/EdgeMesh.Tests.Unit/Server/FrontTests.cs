using System.Net;
using System.Net.Sockets;

using EdgeMesh.Server.Http;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>A server behind a front on port 443: whom limits and reports speak of.</summary>
public sealed class FrontTests
{
    private const string OneAgent = "PROXY TCP4 198.51.100.7 203.0.113.10 56324 443\r\n";
    private const string OtherAgent = "PROXY TCP4 198.51.100.8 203.0.113.10 56324 443\r\n";

    [Fact]
    public async Task AgentsBehindATrustedFrontAreLimitedEachByItself()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(proxyProtocolFrom: [IPNetwork.Parse("127.0.0.1/32")]);
        using TestAgent greedy = server.Agent("edge1");
        greedy.Preamble = OneAgent;
        HashSet<string?> codes = [];
        for (int i = 0; i < EnrolLimiter.Burst + 20; i++)
        {
            codes.Add((await greedy.EnrollAsync("nonsense")).Bad!.Code);
        }

        Assert.Contains("slow-down", codes);
        using TestAgent modest = server.Agent("edge2");
        modest.Preamble = OtherAgent;
        await modest.EnrollAndConnectAsync(server.Token());
        Assert.Equal(IPAddress.Parse("198.51.100.8"), Assert.Single(server.Service.Status.Agents).From);
    }

    [Fact]
    public async Task AConnectionWithoutAHeaderIsServedAsTheFronts()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(proxyProtocolFrom: [IPNetwork.Parse("127.0.0.0/8")]);
        await server.ConnectedAsync("edge1");
        Assert.Equal(IPAddress.Loopback, Assert.Single(server.Service.Status.Agents).From);
    }

    [Fact]
    public async Task NobodyElseIsBelieved()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(proxyProtocolFrom: [IPNetwork.Parse("192.0.2.0/24")]);
        using TestAgent liar = server.Agent("edge1");
        liar.Preamble = OneAgent;
        await Assert.ThrowsAsync<HttpRequestException>(() => liar.EnrollAsync(server.Token()));
        Assert.Empty(server.Registry.ListNodes());
    }

    [Theory]
    [InlineData("PROXY TCP4 nonsense\r\n")]
    [InlineData("POST /v1/enroll HTTP/1.1\r\n")]
    public async Task AnythingElseEndsTheConnection(string text)
    {
        await using ServerFixture server = await ServerFixture.StartAsync(proxyProtocolFrom: [IPNetwork.Parse("127.0.0.1/32")]);
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.EndPoint);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(text));
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        int read;
        try
        {
            read = await socket.ReceiveAsync(new byte[1], limit.Token);
        }
        catch (SocketException)
        {
            read = 0;
        }

        Assert.Equal(0, read);
    }
}
