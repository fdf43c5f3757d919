using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

public class RuleMapperTests
{
    [Theory]
    [InlineData("video", "simple: ROUND_ROBIN", "shop/video Spread")]
    [InlineData("video", "simple: RANDOM", "shop/video Spread")]
    [InlineData("video.park", "simple: LEAST_REQUEST", "park/video LeastLoaded")]
    [InlineData("video.park.svc.cluster.local", "simple: LEAST_CONN", "park/video LeastLoaded")]
    [InlineData("video", "consistentHash: {useSourceIp: true}", "shop/video ClientHash")]
    [InlineData("video", "consistentHash: {httpHeaderName: x-user}", "! spec.trafficPolicy.loadBalancer.consistentHash is honoured with useSourceIp only: the mesh does not read HTTP")]
    [InlineData("video", "simple: MAGLEV", "! spec.trafficPolicy.loadBalancer.simple is \"MAGLEV\": the mesh knows ROUND_ROBIN, RANDOM and LEAST_REQUEST")]
    [InlineData("video", "simple: UNSPECIFIED", "")]
    [InlineData("\"*.park.example\"", "simple: RANDOM", "")]
    [InlineData("api.example.com", "simple: RANDOM", "")]
    public void TakesHostAndPolicy(string host, string balancer, string expected)
    {
        ManifestContent content = KubeText.Parse($$"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: rule, namespace: shop}
            spec:
              host: {{host}}
              trafficPolicy:
                loadBalancer:
                  {{balancer}}
            """);
        Assert.False(content.IsBroken);
        object[] objects = [.. content.Objects.Select(o => o.Value)];
        string[] faults = [.. content.Faults.Select(f => f.Reason)];
        string found = objects is [BalancingRule rule] ? $"{rule.Service} {rule.Policy}" : faults is [string fault] ? "! " + fault[(fault.IndexOf(": ", StringComparison.Ordinal) + 2)..] : "";
        Assert.Equal(expected, found);
        Assert.All(objects.OfType<BalancingRule>(), r => Assert.Equal("shop/rule", r.Key));
    }
}
