using System.Net;
using EdgeMesh.App.Agent;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.App;

public sealed class ClusterDnsViewTests
{
    private static readonly ServiceName KubeDns = new("kube-system", "kube-dns");
    private static readonly NodeName Self = NodeName.Parse("edge-1");

    [Fact]
    public async Task Port53LeadsHereAndTheOtherPortsToTheirPods()
    {
        SnapshotCell cell = new();
        await using ClusterDnsView view = View(cell);
        await PublishAsync(cell, view, Cluster);
        ServiceState state = view.Seen.Current.Services[KubeDns];
        Assert.True(view.Seen.Current.IsSynced);
        Assert.Equal(2, state.Slices.Length);
        EndpointSlice ours = Assert.Single(state.Slices, slice => slice.Key.EndsWith("edgemesh-local-dns", StringComparison.Ordinal));
        Assert.Equal(["dns", "dns-tcp"], ours.Ports.Select(port => port.Name));
        Endpoint endpoint = Assert.Single(ours.Endpoints);
        Assert.Equal((MeshDefaults.MeshAddress, Self), (endpoint.Address, endpoint.Node));
        EndpointSlice theirs = Assert.Single(state.Slices, slice => slice != ours);
        Assert.Equal(["metrics"], theirs.Ports.Select(port => port.Name));
    }

    [Fact]
    public async Task OtherServicesPassAsTheyAre()
    {
        SnapshotCell cell = new();
        await using ClusterDnsView view = View(cell);
        await PublishAsync(cell, view, Cluster);
        ServiceName other = new("default", "kube-dns");
        Assert.Same(Assert.Single(cell.Current.Services[other].Slices), Assert.Single(view.Seen.Current.Services[other].Slices));
    }

    [Fact]
    public async Task ServedWithoutAnyEndpointOfItsOwnAndGoneWithTheService()
    {
        SnapshotCell cell = new();
        await using ClusterDnsView view = View(cell);
        using SnapshotSubscription changes = cell.Subscribe();
        Publish(cell, Cluster);
        view.Apply(await changes.NextAsync(CancellationToken.None));
        Publish(cell, update => update.RemoveSlice(KubeDns, "kube-system/kube-dns-a"));
        view.Apply(await changes.NextAsync(CancellationToken.None));
        Assert.Single(view.Seen.Current.Services[KubeDns].Slices);
        Publish(cell, update => update.RemoveService(KubeDns));
        view.Apply(await changes.NextAsync(CancellationToken.None));
        Assert.False(view.Seen.Current.Services.ContainsKey(KubeDns));
    }

    private static ClusterDnsView View(SnapshotCell cell) =>
        new(cell, [KubeDns], new IPEndPoint(MeshDefaults.MeshAddress, 53), Self, NullLogger.Instance);

    private static async Task PublishAsync(SnapshotCell cell, ClusterDnsView view, Action<MeshUpdate> change)
    {
        using SnapshotSubscription changes = cell.Subscribe();
        Publish(cell, change);
        view.Apply(await changes.NextAsync(CancellationToken.None));
    }

    private static void Publish(SnapshotCell cell, Action<MeshUpdate> change)
    {
        MeshUpdate update = new(cell.Current);
        change(update);
        cell.Publish(update);
    }

    private static void Cluster(MeshUpdate update)
    {
        foreach (ServiceName name in (ServiceName[])[KubeDns, new("default", "kube-dns")])
        {
            update.Set(new Service
            {
                Name = name,
                ClusterIPs = [IPAddress.Parse("10.96.0.10")],
                Ports =
                [
                    new ServicePort("dns", TransportProtocol.Udp, 53),
                    new ServicePort("dns-tcp", TransportProtocol.Tcp, 53),
                    new ServicePort("metrics", TransportProtocol.Tcp, 9153),
                ],
            });
            update.Set(new EndpointSlice
            {
                Key = $"{name.Namespace}/kube-dns-a",
                Service = name,
                Ports =
                [
                    new EndpointPort("dns", TransportProtocol.Udp, 53),
                    new EndpointPort("dns-tcp", TransportProtocol.Tcp, 53),
                    new EndpointPort("metrics", TransportProtocol.Tcp, 9153),
                ],
                Endpoints = [new Endpoint { Address = IPAddress.Parse("10.244.0.3"), Node = NodeName.Parse("cloud-1") }],
            });
        }

        update.MarkSynced();
    }
}
