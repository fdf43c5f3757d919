using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Tests.Unit.Proxy;

/// <summary>Node ports, externalIPs and LoadBalancer addresses: from Service to elements.</summary>
public sealed class FrontTests
{
    private const string Local = "172.17.0.2@edge1";
    private const string Remote = "172.17.0.2@edge2";

    [Fact]
    public void NodePortIsServedAtEachAddressOfTheNode() => Assert.Equal(
        """
        add element ip edgemesh cluster-ips { 10.96.0.10 }
        add element ip edgemesh services { 10.96.0.10 . tcp . 80 : goto n2, 192.168.1.5 . tcp . 30080 : goto n2, 10.0.0.5 . tcp . 30080 : goto n2 }
        add element ip edgemesh endpoints { 10.96.0.10 . tcp . 80 . 0 : 172.17.0.2 . 8080, 192.168.1.5 . tcp . 30080 . 0 : 172.17.0.2 . 8080, 10.0.0.5 . tcp . 30080 . 0 : 172.17.0.2 . 8080 }
        add element ip edgemesh self { 172.17.0.2 . 10.96.0.10 . tcp . 80, 172.17.0.2 . 192.168.1.5 . tcp . 30080, 172.17.0.2 . 10.0.0.5 . tcp . 30080 }
        add element ip edgemesh retry { 10.96.0.10 . 172.17.0.2 . tcp . 8080, 192.168.1.5 . 172.17.0.2 . tcp . 8080, 10.0.0.5 . 172.17.0.2 . tcp . 8080 }

        """,
        Written(NodePort(), Here("192.168.1.5", "10.0.0.5"), Local, Remote));

    [Fact]
    public void NodePortNumberOfAClusterIPServiceMeansNothing() =>
        Assert.DoesNotContain("30080", Written(NodePort() with { Type = ServiceType.ClusterIP }, Here("10.0.0.5"), Local), StringComparison.Ordinal);

    [Fact]
    public void LocalPolicyDrawsLocalEndpointsAndGivesInsideClientsAll()
    {
        string text = Written(NodePort() with { ExternalTrafficPolicy = TrafficPolicy.Local }, Here("10.0.0.5"), Local, Remote);

        Assert.Contains("10.0.0.5 . tcp . 30080 : goto n1", text, StringComparison.Ordinal);
        Assert.Contains("add element ip edgemesh whole { 10.0.0.5 . tcp . 30080 }", text, StringComparison.Ordinal);
        Assert.Contains("10.96.0.10 . tcp . 80 : goto n2", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Remote, "discard")]
    [InlineData("", "refuse")]
    public void LocalPolicyWithoutLocalEndpointDropsOutsideClients(string endpoint, string chain)
    {
        Service service = NodePort() with { ExternalTrafficPolicy = TrafficPolicy.Local };

        Assert.Contains(
            $"10.0.0.5 . tcp . 30080 : goto {chain}",
            Written(service, Here("10.0.0.5"), endpoint.Length > 0 ? [endpoint] : []), StringComparison.Ordinal);
    }

    [Fact]
    public void LocalPolicyWithAffinityDrawsByTheClientsAddress()
    {
        Service service = NodePort() with { ExternalTrafficPolicy = TrafficPolicy.Local, ClientIPAffinity = TimeSpan.FromHours(3) };

        string text = Written(service, Here("10.0.0.5"), Local, "172.17.0.3@edge1");

        Assert.Contains("10.0.0.5 . tcp . 30080 : goto h1024", text, StringComparison.Ordinal);
        Assert.Contains("10.96.0.10 . tcp . 80 : goto agent", text, StringComparison.Ordinal);
    }

    /// <summary>The affinity of all others outlives an endpoint that comes or goes.</summary>
    [Fact]
    public void UnderLocalPolicyWithAffinityANewEndpointTakesItsShareAndMovesNobodyElse()
    {
        Dictionary<string, string> two = SlotsOf(Local, "172.17.0.3@edge1");
        Dictionary<string, string> three = SlotsOf(Local, "172.17.0.3@edge1", "172.17.0.4@edge1");

        Assert.Equal((1024, 1024), (two.Count, three.Count));
        string[] moved = [.. two.Keys.Where(slot => two[slot] != three[slot])];
        Assert.InRange(moved.Length, 280, 400);
        Assert.All(moved, slot => Assert.Equal("172.17.0.4", three[slot]));
        Assert.All(two.Values.CountBy(v => v), share => Assert.InRange(share.Value, 450, 574));
    }

    /// <summary>Slot → endpoint of the node port.</summary>
    private static Dictionary<string, string> SlotsOf(params string[] endpoints)
    {
        Service service = NodePort() with { ExternalTrafficPolicy = TrafficPolicy.Local, ClientIPAffinity = TimeSpan.FromHours(3) };
        return Written(service, Here("10.0.0.5"), endpoints).Split([", ", "{ ", "\n"], StringSplitOptions.None)
            .Select(e => e.Split(' ')).Where(w => w is ["10.0.0.5", ".", "tcp", ".", "30080", ".", _, ":", ..]).ToDictionary(w => w[6], w => w[8]);
    }

    [Fact]
    public void ExternalAddressesAreServedAtTheServicePort()
    {
        Service service = Park.Service() with
        {
            Type = ServiceType.LoadBalancer,
            ExternalIPs = [IPAddress.Parse("198.51.100.1")],
            LoadBalancerIngress = [IPAddress.Parse("203.0.113.1")],
        };

        ServicePlan plan = Park.Plan(service, Here("10.0.0.5"), Park.Slice(Local))!;

        Assert.Equal(["10.96.0.10:80/tcp", "203.0.113.1:80/tcp", "198.51.100.1:80/tcp"], plan.Ports.Select(p => p.Key.ToString()));
        Assert.Equal("10.96.0.10", Assert.Single(plan.Addresses).ToString());
    }

    [Fact]
    public void SourceRangesFenceTheLoadBalancerAddressAlone()
    {
        Service service = NodePort() with
        {
            Type = ServiceType.LoadBalancer,
            LoadBalancerIngress = [IPAddress.Parse("203.0.113.1")],
            LoadBalancerSourceRanges = [IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("192.0.2.0/24")],
        };

        string text = Written(service, Here("10.0.0.5"), Local);

        Assert.Contains("add element ip edgemesh fenced { 203.0.113.1 . tcp . 80 }\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "add element ip edgemesh allowed { 10.0.0.0/8 . 203.0.113.1 . tcp . 80, 192.0.2.0/24 . 203.0.113.1 . tcp . 80 }\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void RangesOfTheOtherFamilyLetNobodyIn()
    {
        Service service = Park.Service() with
        {
            Type = ServiceType.LoadBalancer,
            LoadBalancerIngress = [IPAddress.Parse("203.0.113.1")],
            LoadBalancerSourceRanges = [IPNetwork.Parse("2001:db8::/32")],
        };

        Assert.Contains("allowed { 0.0.0.0/32 . 203.0.113.1", Written(service, Here(), Local), StringComparison.Ordinal);
    }

    [Fact]
    public void EndpointOfAnotherNodeIsMasqueradedForOutsideClientsOnly()
    {
        Node edge2 = new() { Name = NodeName.Parse("edge2"), PodCidrs = [IPNetwork.Parse("10.244.2.0/24")] };
        Surroundings here = Park.Here("10.244.2.0/24 eth0", edge2) with { NodePortAddresses = [IPAddress.Parse("10.0.0.5")] };

        string text = Written(NodePort(), here, "10.244.2.5@edge2");

        Assert.Contains("add element ip edgemesh off-mesh { 10.0.0.5 . 10.244.2.5 . tcp . 8080 }\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void HealthPortTellsTheLocalEndpoints()
    {
        Service service = NodePort() with
        {
            Type = ServiceType.LoadBalancer,
            ExternalTrafficPolicy = TrafficPolicy.Local,
            HealthCheckNodePort = 32000,
        };

        ServicePlan plan = Park.Plan(service, Here("10.0.0.5"), Park.Slice(Local, Remote, "172.17.0.3@edge1"))!;

        Assert.Equal((32000, 2), (plan.HealthPort, plan.LocalEndpoints));
        Assert.Equal(0, Park.Plan(service with { ExternalTrafficPolicy = TrafficPolicy.Cluster }, Here("10.0.0.5"), Park.Slice(Local))!.HealthPort);
    }

    [Fact]
    public void ChangedSourcesAndOutsideArmsAreAChange()
    {
        Service service = NodePort() with { ExternalTrafficPolicy = TrafficPolicy.Local };
        PortPlan Plan(Service s, params string[] e) => Park.Plan(s, Here("10.0.0.5"), Park.Slice(e))!.Ports[1];

        Assert.True(Plan(service, Local, Remote).SameAs(Plan(service, Remote, Local)));
        Assert.False(Plan(service, Local).SameAs(Plan(service, "172.17.0.9@edge1")));
        Assert.False(Plan(service, Local).SameAs(Plan(service with { ExternalTrafficPolicy = TrafficPolicy.Cluster }, Local)));
    }

    private static Service NodePort() => Park.Service("10.96.0.10", new ServicePort("http", TransportProtocol.Tcp, 80, 30080)) with
    {
        Type = ServiceType.NodePort,
    };

    private static Surroundings Here(params string[] addresses) =>
        Park.Here("0.0.0.0/0 eth0") with { NodePortAddresses = [.. addresses.Select(IPAddress.Parse)] };

    private static string Written(Service service, Surroundings here, params string[] endpoints) =>
        RuleText.Difference(null, Park.Frame(), [], ServiceElements.Of(Park.Plan(service, here, Park.Slice(endpoints))!, _ => 0));
}
