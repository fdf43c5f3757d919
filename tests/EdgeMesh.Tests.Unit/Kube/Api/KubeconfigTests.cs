using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube.Api;

public class KubeconfigTests
{
    private const string Good = """
        apiVersion: v1
        kind: Config
        current-context: park
        contexts:
        - name: park
          context: {cluster: c, user: u}
        clusters:
        - name: c
          cluster:
            server: https://10.0.0.1:6443
            tls-server-name: kubernetes
            proxy-url: http://10.0.0.9:3128
        users:
        - name: u
          user: {token: secret}
        """;

    [Fact]
    public async Task ReadsTheCurrentContext()
    {
        ApiEndpoint endpoint = Kubeconfig.Parse(Good, "/etc/kube/config");
        Assert.Equal(new Uri("https://10.0.0.1:6443"), endpoint.Base);
        Assert.Equal(new Uri("http://10.0.0.9:3128"), endpoint.Proxy);
        Assert.Equal("secret", await endpoint.Token.GetAsync(CancellationToken.None));
        Assert.Equal("kubernetes", endpoint.NewHandler().SslOptions.TargetHost);
        Assert.DoesNotContain("secret", endpoint.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunsExecCredentials()
    {
        string text = Good.Replace("{token: secret}", """
            {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo "{\"status\":{\"token\":\"$WHO\"}}"'], env: [{name: WHO, value: me}]}}
            """.Trim(), StringComparison.Ordinal);
        Assert.Equal("me", await Kubeconfig.Parse(text, "/etc/kube/config").Token.GetAsync(CancellationToken.None));
    }

    [Fact]
    public async Task AFailingExecProgramIsNamed()
    {
        string text = Good.Replace("{token: secret}", "{exec: {apiVersion: v1, command: sh, args: [-c, 'echo no >&2; exit 3']}}", StringComparison.Ordinal);
        IOException fault = await Assert.ThrowsAsync<IOException>(() => Kubeconfig.Parse(text, "/etc/kube/config").Token.GetAsync(CancellationToken.None).AsTask());
        Assert.Contains("sh ended with 3: no", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("current-context: park", "", "has no current-context")]
    [InlineData("name: park\n", "name: other\n", "has no context 'park'")]
    [InlineData("cluster: c,", "cluster: d,", "has no cluster 'd'")]
    [InlineData("user: u}", "user: v}", "has no user 'v'")]
    [InlineData("https://10.0.0.1:6443", "ftp://x", "is no http or https address")]
    [InlineData("{token: secret}", "{client-certificate: gone.pem}", "client-certificate '/etc/kube/gone.pem' does not exist")]
    [InlineData("proxy-url: http://10.0.0.9:3128", "proxy-url: ftp://x", "proxy-url 'ftp://x' is no http")]
    [InlineData("{token: secret}", "{client-key-data: '***'}", "client-key-data is not base64")]
    [InlineData("{token: secret}", "{username: me, password: x}", "no longer part of Kubernetes")]
    public void NamesWhatIsWrong(string part, string instead, string expected)
    {
        MeshException fault = Assert.Throws<MeshException>(() => Kubeconfig.Parse(Good.Replace(part, instead, StringComparison.Ordinal), "/etc/kube/config"));
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.Equal(MeshExit.Usage, fault.Exit);
    }
}
