using EdgeMesh.App.Agent;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.App;

public sealed class AgentExplainTests
{
    [Theory]
    [InlineData("web", "default/web")]
    [InlineData("shop/web", "shop/web")]
    [InlineData("web.shop", "shop/web")]
    [InlineData("web.shop.svc.cluster.local", "shop/web")]
    public void ServiceIsNamedAsPeopleDo(string text, string expected) => Assert.Equal(expected, AgentExplain.Parse(text).ToString());

    [Fact]
    public void EmptyNameIsAUsageFault() => Assert.Equal(MeshExit.Usage, Assert.Throws<MeshException>(() => AgentExplain.Parse("")).Exit);

    [Theory]
    [InlineData("modules:\n  edged:\n    tailoredKubeletConfig:\n      clusterDNS:\n      - 169.254.96.16\n      clusterDomain: cluster.local\n", "169.254.96.16")]
    [InlineData("clusterDNS: [10.96.0.10, '10.96.0.11']\nx: [10.0.0.1]\n", "10.96.0.10 10.96.0.11")]
    [InlineData("clusterDomain: cluster.local\nlist:\n- 10.0.0.1\n", "")]
    public void ClusterDnsIsReadFromTheKubeletsFile(string yaml, string expected) =>
        Assert.Equal(expected, string.Join(' ', ClusterDnsSetting.Parse(yaml)));
}
