using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Tests.Unit.Proxy;

public sealed class ServicePlannerTests
{
    private static readonly Node Edge2 = new() { Name = NodeName.Parse("edge2"), PodCidrs = [IPNetwork.Parse("10.244.2.0/24")] };

    [Theory]
    [InlineData("172.17.0.2@edge1", "", "Local")]
    [InlineData("172.17.0.2@edge2", "0.0.0.0/0 eth0", "Remote")]

    // Routable: in the node's podCIDR, by a route that is neither the default nor to the local pods.
    [InlineData("10.244.2.5@edge2", "10.244.2.0/24 eth0", "Routable")]
    [InlineData("10.244.2.5@edge2", "0.0.0.0/0 eth0", "Remote")]
    [InlineData("10.244.2.5@edge2", "10.244.0.0/16 br0", "Remote")]
    [InlineData("10.244.3.5@edge2", "10.244.0.0/16 eth0", "Remote")]
    [InlineData("10.244.2.5@edge9", "10.244.2.0/24 eth0", "Remote")]

    // Without a node: by the kernel wherever it has a route.
    [InlineData("192.0.2.1", "0.0.0.0/0 eth0", "OffMesh")]
    [InlineData("192.0.2.1", "192.0.2.0/24 eth0", "OffMesh")]
    public void PlacesEndpoint(string endpoint, string routes, string expected)
    {
        ServicePlan plan = Park.Plan(Park.Service(), Park.Here(routes, Edge2), Park.Slice(endpoint))!;

        Assert.Equal(expected, Assert.Single(plan.Ports[0].Endpoints).Placement.ToString());
    }

    [Theory]
    [InlineData(BalancingPolicy.Spread, Balancing.Spread)]
    [InlineData(BalancingPolicy.LeastLoaded, Balancing.LeastLoaded)]
    [InlineData(BalancingPolicy.ClientHash, Balancing.ClientHash)]
    public void ARuleGoesBeforeTheNodesOption(BalancingPolicy policy, Balancing expected)
    {
        Surroundings here = Park.Here() with { Balancing = Balancing.Nearest };
        ServiceState state = new(Park.Web, Park.Service(), [Park.Slice("172.17.0.2@edge1")]);
        ServiceState ruled = state with { Rules = [new BalancingRule("default/web", Park.Web, policy)] };

        Assert.Equal(Balancing.Nearest, ServicePlanner.Plan(state, AddressFamily.InterNetwork, here)!.Ports[0].Balancing);
        Assert.Equal(expected, ServicePlanner.Plan(ruled, AddressFamily.InterNetwork, here)!.Ports[0].Balancing);
    }

    [Fact]
    public void ConfiguredNetworkIsRoutable()
    {
        Surroundings here = Park.Here() with { RoutableCidrs = [IPNetwork.Parse("10.50.0.0/16")] };

        ServicePlan plan = Park.Plan(Park.Service(), here, Park.Slice("10.50.1.1@edge2"))!;

        Assert.Equal(Placement.Routable, plan.Ports[0].Endpoints[0].Placement);
    }

    [Fact]
    public void ServiceWhoseEndpointsNobodyHereCanReachIsLeftAlone() =>
        Assert.Null(Park.Plan(Park.Service(), Park.Here("172.17.0.0/16 br0"), Park.Slice("192.0.2.1")));

    [Fact]
    public void UnreachableEndpointBesideOthersIsLeftOut()
    {
        ServicePlan plan = Park.Plan(Park.Service(), Park.Here(), Park.Slice("192.0.2.1", "172.17.0.2@edge2"))!;

        Assert.Equal(Placement.Remote, Assert.Single(plan.Ports[0].Endpoints).Placement);
    }

    [Fact]
    public void SkipsWhatIsNotOurs()
    {
        Surroundings here = Park.Here();
        EndpointSlice slice = Park.Slice("172.17.0.2@edge1");
        Assert.NotNull(Park.Plan(Park.Service(), here, slice));
        Assert.Null(Park.Plan(Park.Service() with { IsHeadless = true }, here, slice));
        Assert.Null(Park.Plan(Park.Service() with { ClusterIPs = [] }, here, slice));
        Assert.Null(Park.Plan(Park.Service() with { Type = ServiceType.ExternalName }, here, slice));
        Assert.Null(Park.Plan(Park.Service() with { ServiceProxyName = "other" }, here, slice));
        Assert.Null(Park.Plan(Park.Service() with { HasHeadlessLabel = true }, here, slice));
        Assert.Null(Park.Plan(Park.Service() with { HasEdgeMeshFilterLabel = true }, here, slice));
        Surroundings onlyLabelled = here with { FilterMode = ServiceFilterMode.FilterIfLabelDoesNotExists };
        Assert.Null(Park.Plan(Park.Service(), onlyLabelled, slice));
        Assert.NotNull(Park.Plan(Park.Service() with { HasEdgeMeshFilterLabel = true }, onlyLabelled, slice));
    }

    [Fact]
    public void OrderOfSlicesDoesNotMatter()
    {
        EndpointSlice one = Park.Slice("s1", 8080, "172.17.0.3@edge2", "172.17.0.2@edge1");
        EndpointSlice two = Park.Slice("s2", 8080, "172.17.0.2@edge3");

        PortPlan a = Park.Plan(Park.Service(), Park.Here(), one, two)!.Ports[0];
        PortPlan b = Park.Plan(Park.Service(), Park.Here(), two, one)!.Ports[0];

        Assert.True(a.SameAs(b));
    }
}
