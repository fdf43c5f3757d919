using System.Net;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

public class NodeMapperTests
{
    [Fact]
    public void ReadsEveryFieldTheMeshUses()
    {
        Node node = KubeText.One<Node>("""
            apiVersion: v1
            kind: Node
            metadata:
              name: edge-1.park
              labels:
                topology.kubernetes.io/zone: park-a
                node-role.kubernetes.io/edge: ""
            spec:
              podCIDR: 10.244.1.0/24
              podCIDRs: [10.244.1.0/24, "fd00:1::/64"]
            status:
              addresses:
              - {type: InternalIP, address: 192.168.1.11}
              - {type: Hostname, address: edge-1}
              - {type: ExternalIP, address: 203.0.113.4}
              - {type: InternalIP, address: "fd00::b"}
            """);
        Node expected = new()
        {
            Name = NodeName.Parse("edge-1.park"),
            Addresses = [IPAddress.Parse("192.168.1.11"), IPAddress.Parse("203.0.113.4"), IPAddress.Parse("fd00::b")],
            PodCidrs = [IPNetwork.Parse("10.244.1.0/24"), IPNetwork.Parse("fd00:1::/64")],
            Zone = "park-a",
            IsEdge = true,
        };
        Assert.True(ModelEquality.Same(expected, node));
    }

    [Fact]
    public void ANameIsEnough() => Assert.True(
        ModelEquality.Same(new Node { Name = NodeName.Parse("n") }, KubeText.One<Node>(KubeText.Node("n"))));

    [Theory]
    [InlineData("podCIDR: 10.1.0.0/16", "10.1.0.0/16")]
    [InlineData("podCIDRs: [10.1.0.0/16]", "10.1.0.0/16")]
    [InlineData("podCIDR: 10.1.2.3/16", "10.1.0.0/16")]
    public void TakesPodCidrFromEitherField(string spec, string expected) => Assert.Equal(
        [IPNetwork.Parse(expected)], KubeText.One<Node>(KubeText.Node("n", $"spec: {{{spec}}}")).PodCidrs.AsEnumerable());

    [Theory]
    [InlineData("spec: {podCIDR: 10.1.0.0/33}", "\"10.1.0.0/33\" is not a network")]
    [InlineData("spec: {podCIDR: 10.1.0.0/16, podCIDRs: [10.2.0.0/16]}", "spec.podCIDRs begins with \"10.2.0.0/16\"")]
    [InlineData("status: {addresses: [{type: InternalIP, address: edge}]}", "status.addresses[].address \"edge\" is not an IP address")]
    public void NamesWhatIsWrong(string rest, string reason)
    {
        Fault fault = KubeText.OneFault(KubeText.Node("n", rest));
        Assert.StartsWith("Node n: ", fault.Reason, StringComparison.Ordinal);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
        Assert.Equal(4, fault.Line);
    }
}
