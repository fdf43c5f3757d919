using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class LocalEndpointsTests
{
    [Fact]
    public void KnowsTheEndpointsOfThisNodeOnlyAndFollowsChanges()
    {
        SnapshotCell cell = new();
        LocalEndpoints local = new(cell, Park.Edge1);
        IPEndPoint one = IPEndPoint.Parse("172.17.0.2:8080");
        Assert.False(local.Contains(TransportProtocol.Tcp, one));

        Publish(cell, u => u.Set(Park.Slice("172.17.0.2@edge1", "172.17.0.3@edge2", "172.17.0.4@edge1 unready unserving", "172.17.0.5@edge1 terminating")));

        Assert.True(local.Contains(TransportProtocol.Tcp, one));
        Assert.False(local.Contains(TransportProtocol.Udp, one));
        Assert.False(local.Contains(TransportProtocol.Tcp, IPEndPoint.Parse("172.17.0.2:8081")));
        Assert.False(local.Contains(TransportProtocol.Tcp, IPEndPoint.Parse("172.17.0.3:8080")));
        Assert.False(local.Contains(TransportProtocol.Tcp, IPEndPoint.Parse("172.17.0.4:8080")));
        Assert.True(local.Contains(TransportProtocol.Tcp, IPEndPoint.Parse("172.17.0.5:8080")));

        Publish(cell, u => u.RemoveSlice(Park.Web, "default/s1"));
        Assert.False(local.Contains(TransportProtocol.Tcp, one));
    }

    private static void Publish(SnapshotCell cell, Action<MeshUpdate> change)
    {
        MeshUpdate update = new(cell.Current);
        change(update);
        cell.Publish(update);
    }
}
