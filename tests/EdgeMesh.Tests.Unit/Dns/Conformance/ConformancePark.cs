using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Dns.Conformance;

/// <summary>Namespace <c>ns1</c>: a Service of each kind that the upstream suites ask for.</summary>
internal static class ConformancePark
{
    private static readonly (string, TransportProtocol, ushort) Http = ("http", TransportProtocol.Tcp, 80);

    public static void Add(MeshUpdate update)
    {
        update.Set(TestPark.ClusterIP("default", "kubernetes", ["10.96.0.1"], ("https", TransportProtocol.Tcp, 443)));
        update.Set(TestPark.ClusterIP("ns1", "svc1", ["10.96.7.1"], Http));
        update.Set(TestPark.ClusterIP("ns1", "svcempty", ["10.96.7.2"], Http));
        update.Set(TestPark.ClusterIP("ns1", "svc6", ["fd07::1"], Http));
        update.Set(TestPark.ClusterIP("ns1", "dual", ["10.96.7.3", "fd07::3"], Http));
        update.Set(TestPark.ClusterIP(
            "ns1", "multi", ["10.96.7.4"], Http, ("https", TransportProtocol.Tcp, 443), ("dns", TransportProtocol.Udp, 53), ("dns-tcp", TransportProtocol.Tcp, 53)));
        update.Set(TestPark.ClusterIP("ns1", "lb", ["10.96.7.7"], Http) with
        {
            Type = ServiceType.LoadBalancer,
            LoadBalancerIngress = [IPAddress.Parse("203.0.113.7")],
        });
        update.Set(TestPark.ClusterIP("ns1", "np", ["10.96.7.8"], Http) with { Type = ServiceType.NodePort });
        update.Set(TestPark.External("ns1", "extsvc", "svc1.ns1.svc.cluster.local"));
        update.Set(TestPark.External("ns1", "extgone", "svc0.ns1.svc.cluster.local"));

        update.Set(TestPark.Headless("ns1", "hdls1", Http));
        update.Set(TestPark.Slice(
            "ns1", "hdls1", "4", ("http", 80), ("172.18.0.2", null, true), ("172.18.0.3", null, true), ("172.18.0.4", "dup", true),
            ("172.18.0.5", "dup", true), ("172.18.0.6", "five", true), ("172.18.0.7", "gone", false)));
        update.Set(TestPark.Slice("ns1", "hdls1", "6", ("http", 80), ("fd18::1", null, true), ("fd18::2", null, true)) with { Family = AddressFamily.InterNetworkV6 });
        update.Set(TestPark.Headless("ns1", "hdls2", Http));
        update.Set(TestPark.Slice("ns1", "hdls2", "a", ("http", 8080), ("172.18.0.40", null, true)));
        update.Set(TestPark.Slice("ns1", "hdls2", "b", ("http", 9090), ("172.18.0.41", null, true)));
        update.Set(TestPark.Headless("ns1", "hdlsprtls"));
        update.Set(TestPark.Slice("ns1", "hdlsprtls", "a", ("", 0), ("172.18.0.20", null, true)) with { Ports = [] });
        update.Set(TestPark.Headless("ns1", "hdlsnone", Http));
        update.Set(TestPark.Headless("ns1", "ends", Http));
        EndpointSlice ends = TestPark.Slice("ns1", "ends", "a", ("http", 80), ("172.18.0.30", null, true), ("172.18.0.31", null, false));
        update.Set(ends with { Endpoints = [ends.Endpoints[0], ends.Endpoints[1] with { IsServing = true, IsTerminating = true }] });
        update.Set(TestPark.Headless("ns1", "web", Http, ("admin", TransportProtocol.Tcp, 81)));
        EndpointSlice web = TestPark.Slice("ns1", "web", "a", ("http", 80), ("172.18.1.10", "web-0", true), ("172.18.1.11", "web-1", true));
        update.Set(web with { Ports = [.. web.Ports, new EndpointPort("admin", TransportProtocol.Tcp, 81)] });
    }
}
