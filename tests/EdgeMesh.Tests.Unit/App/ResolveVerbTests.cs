using System.Net;
using DnsClient;
using EdgeMesh.App.Ops;
using EdgeMesh.App.Verbs;
using EdgeMesh.Dns;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.App;

public sealed class ResolveVerbTests
{
    [Fact]
    public async Task ShowsWhatTheServerAnswered()
    {
        SnapshotCell cell = new();
        MeshUpdate update = new(cell.Current);
        update.Set(new Service
        {
            Name = new ServiceName("default", "video"),
            ClusterIPs = [IPAddress.Parse("10.96.0.10")],
            Ports = [new ServicePort("http", TransportProtocol.Tcp, 80)],
        });
        update.MarkSynced();
        cell.Publish(update);
        await using DnsService dns = new(
            cell, new DnsOptions { ListenAddresses = [new IPEndPoint(IPAddress.Loopback, 0)], Threads = 1 }, TimeProvider.System, NullLoggerFactory.Instance);
        await dns.StartAsync(CancellationToken.None);
        IPEndPoint server = dns.Status.Listening.Single();

        ResolveReport found = await ResolveVerb.AskAsync(server, "video.default.svc.cluster.local", QueryType.A, CancellationToken.None);
        Assert.Equal("NOERROR", found.Code);
        Assert.Matches("^video[.]default[.]svc[.]cluster[.]local[.] [1-5] IN A 10[.]96[.]0[.]10$", Assert.Single(found.Answers));
        Assert.Equal(server.ToString(), found.Server);

        ResolveReport missing = await ResolveVerb.AskAsync(server, "none.default.svc.cluster.local", QueryType.A, CancellationToken.None);
        Assert.Equal("NXDOMAIN", missing.Code);
        Assert.Empty(missing.Answers);
    }

    [Fact]
    public async Task ANameThatIsNoneIsAUsageFault()
    {
        MeshException e = await Assert.ThrowsAsync<MeshException>(() => ResolveVerb.AskAsync(
            new IPEndPoint(IPAddress.Loopback, 9), new string('a', 64) + ".x", QueryType.A, CancellationToken.None));
        Assert.Equal(MeshExit.Usage, e.Exit);
    }
}
