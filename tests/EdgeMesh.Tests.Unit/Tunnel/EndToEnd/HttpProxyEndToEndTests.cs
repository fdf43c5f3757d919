using System.Net;
using EdgeMesh.Tests.Unit.Tunnel.Identity;
using EdgeMesh.Tunnel;
using Xunit.Abstractions;

namespace EdgeMesh.Tests.Unit.Tunnel.EndToEnd;

public class HttpProxyEndToEndTests(ITestOutputHelper output)
{
    /// <summary>Behind many a proxy nothing resolves, and nothing but the proxy answers.</summary>
    [Fact]
    public async Task EnrolsAndConnectsWhereOnlyTheProxyKnowsTheServersName()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(output);
        await using TestProxy door = new(head => head.Contains(":443 ", StringComparison.Ordinal) ? TestProxy.Open : "HTTP/1.1 403 No\r\n\r\n")
        {
            LeadsTo = new IPEndPoint(IPAddress.Loopback, mesh.ServerPort),
        };
        Assert.True(HttpProxy.TryParse($"http://edge:secret@127.0.0.1:{door.Port}", out HttpProxy? proxy, out _));
        TestNode node = await mesh.AddAsync("edge1", server: "mesh.invalid", proxy: proxy);
        await node.UntilServerAsync(server => server.Connected);
        ServerStatus status = node.Tunnel.Servers[0];
        Assert.Equal(("mesh.invalid:443", $"127.0.0.1:{door.Port}"), (status.Address, status.Proxy));
        NetworkCheck check = await node.Tunnel.CheckNetworkAsync(CancellationToken.None);
        Assert.Collection(
            check.Servers[0].Ports,
            refused => Assert.StartsWith("403: ", refused.Fault, StringComparison.Ordinal),
            open => Assert.Equal((null, status.Proxy), (open.Fault, open.Proxy)));
    }
}
