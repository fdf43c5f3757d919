using System.Net;
using System.Net.Sockets;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

public class SliceMapperTests
{
    [Fact]
    public void ReadsEveryFieldTheMeshUses()
    {
        EndpointSlice slice = KubeText.One<EndpointSlice>("""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: video-abc12
              namespace: edgezone
              labels: {kubernetes.io/service-name: video}
            addressType: IPv4
            ports:
            - {name: http, port: 8080}
            - {name: rtp, protocol: UDP, port: 5004}
            - {name: any}
            endpoints:
            - addresses: [172.17.0.2, 172.17.0.9]
              conditions: {ready: false, serving: true, terminating: true}
              hostname: video-0
              nodeName: edge-1
              zone: park-a
              targetRef: {kind: Pod, name: video-7d, namespace: edgezone}
              hints: {forZones: [{name: park-a}, {name: park-b}], forNodes: [{name: edge-1}]}
            """);
        EndpointSlice expected = new()
        {
            Key = "edgezone/video-abc12",
            Service = KubeText.Name("video"),
            Family = AddressFamily.InterNetwork,
            Ports =
            [
                new EndpointPort("http", TransportProtocol.Tcp, 8080), new EndpointPort("rtp", TransportProtocol.Udp, 5004),
                new EndpointPort("any", TransportProtocol.Tcp, null),
            ],
            Endpoints =
            [
                new Endpoint
                {
                    Address = IPAddress.Parse("172.17.0.2"),
                    Node = NodeName.Parse("edge-1"),
                    Hostname = "video-0",
                    IsReady = false,
                    IsServing = true,
                    IsTerminating = true,
                    Zone = "park-a",
                    ZoneHints = ["park-a", "park-b"],
                    NodeHints = [NodeName.Parse("edge-1")],
                    PodName = "video-7d",
                },
            ],
        };
        Assert.True(ModelEquality.Same(expected, slice));
    }

    [Theory]
    [InlineData("", true, true, false)]
    [InlineData("conditions: {}", true, true, false)]
    [InlineData("conditions: {ready: null, serving: null}", true, true, false)]
    [InlineData("conditions: {ready: false}", false, true, false)]
    [InlineData("conditions: {ready: false, serving: false, terminating: true}", false, false, true)]
    public void MissingConditionsHaveKubeProxysDefaults(string conditions, bool ready, bool serving, bool terminating)
    {
        Endpoint endpoint = Assert.Single(
            KubeText.One<EndpointSlice>(KubeText.Slice("s", "a", $"{{addresses: [10.0.0.1], {conditions}}}")).Endpoints);
        Assert.Equal((ready, serving, terminating), (endpoint.IsReady, endpoint.IsServing, endpoint.IsTerminating));
        Assert.Null(endpoint.Node);
    }

    [Fact]
    public void ATargetThatIsNoPodNamesNoPod() => Assert.Null(
        KubeText.One<EndpointSlice>(KubeText.Slice("s", "a", "{addresses: [10.0.0.1], targetRef: {kind: Node, name: n}}")).Endpoints[0].PodName);

    [Fact]
    public void ReadsIPv6() => Assert.Equal(
        IPAddress.Parse("fd00::1"),
        KubeText.One<EndpointSlice>(KubeText.Slice("s", "a", "{addresses: ['fd00::1']}", type: "IPv6")).Endpoints[0].Address);

    [Fact]
    public void LeavesHostNameSlicesAlone()
    {
        ManifestContent content = KubeText.Parse(KubeText.Slice("s", "a", "{addresses: [example.com]}", type: "FQDN"));
        Assert.Empty(content.Faults);
        Assert.Empty(content.Objects);
    }

    [Fact]
    public void AbsentEndpointsAndPortsAreNone()
    {
        EndpointSlice slice = KubeText.One<EndpointSlice>("""
            {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, endpoints: null, ports: null,
             metadata: {name: s, labels: {kubernetes.io/service-name: a}}}
            """);
        Assert.Empty(slice.Endpoints);
        Assert.Empty(slice.Ports);
    }

    [Theory]
    [InlineData("{addresses: [10.0.0]}", "endpoints[].addresses: \"10.0.0\" is not an IP address")]
    [InlineData("{addresses: ['fd00::1']}", "is not of the slice's addressType")]
    [InlineData("{addresses: [127.0.0.1], nodeName: edge-1}", "is a loopback address and the endpoint has a nodeName")]
    [InlineData("{addresses: [0.0.0.0]}", "is link-local, multicast or unspecified")]
    [InlineData("{addresses: [224.0.0.1]}", "is link-local, multicast or unspecified")]
    [InlineData("{addresses: [169.254.96.16]}", "is link-local, multicast")]
    [InlineData("{addresses: []}", "endpoints[].addresses must hold an address")]
    [InlineData("{nodeName: edge-1}", "endpoints[].addresses must hold an address")]
    [InlineData("{addresses: 10.0.0.1}", "endpoints[].addresses must be a list")]
    [InlineData("{addresses: [10.0.0.1], nodeName: Edge_1}", "\"Edge_1\" is not a node name")]
    [InlineData("{addresses: [10.0.0.1], hostname: a.b}", "\"a.b\" is not a DNS label")]
    [InlineData("{addresses: [10.0.0.1], conditions: [ready]}", "endpoints[].conditions must be a map")]
    [InlineData("{addresses: [10.0.0.1], conditions: {ready: 1}}", "endpoints[].conditions.ready must be true or false, not 1")]
    public void NamesWhatIsWrongWithAnEndpoint(string endpoint, string reason)
    {
        Fault fault = KubeText.OneFault(KubeText.Slice("s", "a", endpoint));
        Assert.StartsWith("EndpointSlice edgezone/s: ", fault.Reason, StringComparison.Ordinal);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
        Assert.Equal(6, fault.Line);
    }

    [Theory]
    [InlineData("{port: 99999}", "ports[].port must be a number from 1 to 65535, not 99999")]
    [InlineData("{port: 1, protocol: ICMP}", "ports[].protocol must be TCP or UDP or SCTP, not \"ICMP\"")]
    [InlineData("{port: 1}, {port: 2}", "\"\" stands twice")]
    public void NamesWhatIsWrongWithAPort(string ports, string reason)
    {
        Fault fault = KubeText.OneFault(KubeText.Slice("s", "a", "{addresses: [10.0.0.1]}", ports));
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
        Assert.Equal(5, fault.Line);
    }

    [Fact]
    public void NeedsTheLabelThatNamesTheService() => Assert.Contains(
        "label kubernetes.io/service-name is missing",
        KubeText.OneFault("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: s}}").Reason,
        StringComparison.Ordinal);

    [Fact]
    public void NeedsAnAddressType() => Assert.Contains(
        "addressType is missing",
        KubeText.OneFault("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, labels: {kubernetes.io/service-name: a}}}").Reason,
        StringComparison.Ordinal);

    [Fact]
    public void RefusesAnotherApiVersionByName() => Assert.Contains(
        "needs apiVersion discovery.k8s.io/v1, not \"discovery.k8s.io/v1beta1\"",
        KubeText.OneFault("{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: s}}").Reason,
        StringComparison.Ordinal);
}
