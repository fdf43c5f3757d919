using System.Net;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

public class ServiceMapperTests
{
    private const string Port = "ports: [{port: 80}]";

    [Fact]
    public void FillsTheDefaultsOfTheApi()
    {
        Service service = KubeText.One<Service>("""
            apiVersion: v1
            kind: Service
            metadata:
              name: video
            spec:
              clusterIP: 10.96.0.7
              ports:
              - port: 80
                targetPort: http
            """);
        Service expected = new()
        {
            Name = new ServiceName("default", "video"),
            ClusterIPs = [IPAddress.Parse("10.96.0.7")],
            Ports = [new ServicePort("", TransportProtocol.Tcp, 80)],
        };
        Assert.True(ModelEquality.Same(expected, service));
    }

    [Fact]
    public void ReadsEveryFieldTheMeshUses()
    {
        Service service = KubeText.One<Service>("""
            apiVersion: v1
            kind: Service
            metadata:
              name: face
              namespace: edgezone
              uid: 00ef2dd5-9f80-4a6e-b2d2-c31c5fd78d62
              labels:
                service.kubernetes.io/service-proxy-name: other
                service.kubernetes.io/headless: ""
                service.edgemesh.kubeedge.io/service-proxy-name:
              managedFields: [{manager: kubectl}]
            spec:
              type: LoadBalancer
              clusterIP: 10.96.0.8
              clusterIPs: [10.96.0.8, "fd00::8"]
              ports:
              - {name: https, port: 443, nodePort: 30443, protocol: TCP}
              - {name: quic, port: 443, protocol: UDP}
              - {name: sig, port: 9, protocol: SCTP}
              publishNotReadyAddresses: true
              sessionAffinity: ClientIP
              sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
              internalTrafficPolicy: Local
              externalTrafficPolicy: Local
              trafficDistribution: PreferSameNode
              externalIPs: [198.51.100.7]
              loadBalancerSourceRanges: [" 203.0.113.9/24 "]
              healthCheckNodePort: 31000
            status:
              loadBalancer:
                ingress:
                - ip: 192.0.2.1
                - hostname: lb.example.com
                - {ip: 192.0.2.2, ipMode: Proxy}
                - {ip: 192.0.2.3, ipMode: VIP}
            """);
        Service expected = new()
        {
            Name = new ServiceName("edgezone", "face"),
            Uid = "00ef2dd5-9f80-4a6e-b2d2-c31c5fd78d62",
            Type = ServiceType.LoadBalancer,
            ClusterIPs = [IPAddress.Parse("10.96.0.8"), IPAddress.Parse("fd00::8")],
            Ports =
            [
                new ServicePort("https", TransportProtocol.Tcp, 443, 30443), new ServicePort("quic", TransportProtocol.Udp, 443),
                new ServicePort("sig", TransportProtocol.Sctp, 9),
            ],
            PublishNotReadyAddresses = true,
            ClientIPAffinity = TimeSpan.FromSeconds(60),
            InternalTrafficPolicy = TrafficPolicy.Local,
            ExternalTrafficPolicy = TrafficPolicy.Local,
            TrafficDistribution = TrafficDistribution.PreferSameNode,
            ExternalIPs = [IPAddress.Parse("198.51.100.7")],
            LoadBalancerIngress = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.3")],
            LoadBalancerSourceRanges = [IPNetwork.Parse("203.0.113.0/24")],
            HealthCheckNodePort = 31000,
            ServiceProxyName = "other",
            HasHeadlessLabel = true,
            HasEdgeMeshFilterLabel = true,
        };
        Assert.True(ModelEquality.Same(expected, service), service.ToString());
    }

    [Theory]
    [InlineData("clusterIP: None", true, 0)]
    [InlineData("clusterIPs: [None]", true, 0)]
    [InlineData("clusterIP: None, clusterIPs: [None]", true, 0)]
    [InlineData("clusterIP: 10.96.0.1", false, 1)]
    [InlineData("clusterIPs: [10.96.0.1]", false, 1)]
    [InlineData("clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1']", false, 2)]
    public void TakesClusterIPFromEitherField(string text, bool isHeadless, int addresses)
    {
        Service service = KubeText.One<Service>(KubeText.Service("a", $"{text}, {Port}"));
        Assert.Equal((isHeadless, addresses), (service.IsHeadless, service.ClusterIPs.Length));
    }

    [Fact]
    public void HeadlessNeedsNoPorts() => Assert.Empty(KubeText.One<Service>(KubeText.Service("a", "clusterIP: None")).Ports);

    [Fact]
    public void ExternalNameHasNoAddressAndLosesItsFinalDot()
    {
        Service service = KubeText.One<Service>(KubeText.Service("ext", "type: ExternalName, externalName: camera.example.com."));
        Assert.Equal((ServiceType.ExternalName, "camera.example.com"), (service.Type, service.ExternalName));
        Assert.Empty(service.ClusterIPs);
    }

    [Theory]
    [InlineData("PreferClose", TrafficDistribution.PreferSameZone)]
    [InlineData("PreferSameZone", TrafficDistribution.PreferSameZone)]
    [InlineData("PreferSameNode", TrafficDistribution.PreferSameNode)]
    public void KnowsTrafficDistributions(string text, TrafficDistribution expected) => Assert.Equal(
        expected, KubeText.One<Service>(KubeText.Service("a", $"clusterIP: 10.96.0.1, trafficDistribution: {text}, {Port}")).TrafficDistribution);

    [Theory]
    [InlineData("sessionAffinity: ClientIP", 10800)]
    [InlineData("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {}}", 10800)]
    [InlineData("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 1}}", 1)]
    [InlineData("sessionAffinity: None", null)]
    [InlineData("sessionAffinity: ''", null)]
    public void ReadsAffinity(string text, int? seconds) => Assert.Equal(
        seconds is int s ? TimeSpan.FromSeconds(s) : null,
        KubeText.One<Service>(KubeText.Service("a", $"clusterIP: 10.96.0.1, {text}, {Port}")).ClientIPAffinity);

    [Fact]
    public void AnUnknownPreferenceIsAWarningOnly()
    {
        ManifestContent content = KubeText.Parse(KubeText.Service("a", $"clusterIP: 10.96.0.1, trafficDistribution: PreferMoon, {Port}"));
        Assert.False(content.IsBroken);
        Assert.Contains("PreferMoon", Assert.Single(content.Faults).Reason, StringComparison.Ordinal);
        Assert.Single(content.Objects);
    }

    [Fact]
    public void AServiceThatNobodyWillGiveAnAddressIsAWarning()
    {
        ManifestContent content = KubeText.Parse(KubeText.Service("a", Port));
        Assert.False(content.IsBroken);
        Assert.Contains("spec.clusterIP is missing", Assert.Single(content.Faults).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clusterIP: 10.96.0.300, ports: [{port: 80}]", "\"10.96.0.300\" is neither an IP address nor None")]
    [InlineData("clusterIP: 010.96.0.3, ports: [{port: 80}]", "\"010.96.0.3\" is neither")]
    [InlineData("clusterIP: none, ports: [{port: 80}]", "\"none\" is neither")]
    [InlineData("clusterIP: 10.96.0.1, clusterIPs: [10.96.0.2], ports: [{port: 80}]", "spec.clusterIP is \"10.96.0.1\" but")]
    [InlineData("clusterIPs: [10.96.0.1, 10.96.0.2], ports: [{port: 80}]", "second address of its family")]
    [InlineData("clusterIPs: [None, 10.96.0.2], ports: [{port: 80}]", "None only alone")]
    [InlineData("clusterIP: None, type: NodePort, ports: [{port: 80}]", "cannot be None with type NodePort")]
    [InlineData("clusterIP: 10.96.0.1", "spec.ports must name at least one port")]
    [InlineData("clusterIP: 10.96.0.1, ports: 80", "spec.ports must be a list, not 80")]
    [InlineData("clusterIP: 10.96.0.1, ports: [80]", "spec.ports[] must be a map, not 80")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{name: a}]", "spec.ports[].port is missing")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 70000}]", "spec.ports[].port must be a number from 1 to 65535, not 70000")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 0}]", "spec.ports[].port must be a number from 1 to 65535, not 0")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 8.5}]", "not 8.5")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: '80'}]", "must be a number from 1 to 65535, not \"80\"")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80, protocol: tcp}]", "must be TCP or UDP or SCTP, not \"tcp\"")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80, name: 8}]", "spec.ports[].name must be a string, not 8: put it in quotes")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80, name: Web}]", "not \"Web\"")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}, {port: 81, name: b}]", "spec.ports[].name is needed")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80, name: b}, {port: 81, name: b}]", "\"b\" stands twice")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80, name: a}, {port: 80, name: b}]", "80 stands twice with the same protocol")]
    [InlineData("clusterIP: 10.96.0.1, type: Cluster, ports: [{port: 80}]", "spec.type must be ClusterIP or NodePort")]
    [InlineData("type: ExternalName", "spec.externalName is needed")]
    [InlineData("type: ExternalName, externalName: a_b", "\"a_b\" is not a DNS name")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}], sessionAffinity: Cookie", "must be None or ClientIP, not \"Cookie\"")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}], sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}", "from 1 to 86400")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}], internalTrafficPolicy: local", "must be Cluster or Local")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}], externalIPs: [1.2.3]", "spec.externalIPs: \"1.2.3\" is not an IP address")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0]", "is not a network")]
    [InlineData("clusterIP: 10.96.0.1, ports: [{port: 80}], publishNotReadyAddresses: 'true'", "must be true or false, not \"true\"")]
    public void NamesWhatIsWrong(string spec, string reason)
    {
        Fault fault = KubeText.OneFault(KubeText.Service("a", spec));
        Assert.StartsWith("Service edgezone/a: ", fault.Reason, StringComparison.Ordinal);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
        Assert.Equal(4, fault.Line);
    }
}
