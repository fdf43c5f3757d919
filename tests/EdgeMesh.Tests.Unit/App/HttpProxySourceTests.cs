using EdgeMesh.App.Agent;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;
using EdgeMesh.Tunnel;

namespace EdgeMesh.Tests.Unit.App;

public class HttpProxySourceTests
{
    private static readonly Setting Option = AgentSettings.TunnelHttpProxy;

    [Fact]
    public void APasswordStandsInTheFileAndNotInAnArgument()
    {
        Assert.True(HttpProxySource.ReadOption(Given("http://edge:secret@10.0.0.1:3128", "edge.yaml:3: tunnel.httpProxy"), Option).Proxy!.HasCredentials);
        MeshException fault = Assert.Throws<MeshException>(() => HttpProxySource.ReadOption(Given("http://edge:secret@10.0.0.1:3128", Option.Flag), Option));
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Contains("10.0.0.1:3128", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--tunnel.httpProxy")]
    [InlineData("edge.yaml:3: tunnel.httpProxy")]
    public void AMalformedValueIsNotRepeated(string origin)
    {
        MeshException fault = Assert.Throws<MeshException>(() => HttpProxySource.ReadOption(Given("https://edge:secret@10.0.0.1", origin), Option));
        Assert.StartsWith(origin + ": ", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheEnvironmentIsReadAsCurlDoes()
    {
        Assert.Equal("10.0.0.2:1", Choose(("HTTPS_PROXY", "http://10.0.0.1:1"), ("https_proxy", "http://10.0.0.2:1"), ("ALL_PROXY", "http://10.0.0.3:1"))?.ToString());
        Assert.Equal("10.0.0.3:1", Choose(("ALL_PROXY", "http://10.0.0.3:1"), ("HTTP_PROXY", "http://10.0.0.4:1"), ("HTTPS_PROXY", ""))?.ToString());
        Assert.Null(Choose(("HTTP_PROXY", "http://10.0.0.4:1")));
        HttpProxy proxy = Choose(("HTTPS_PROXY", "http://10.0.0.1:1"), ("NO_PROXY", "example.org"))!;
        Assert.False(proxy.Serves("mesh.example.org"));
        Assert.True(proxy.Serves("mesh.example.net"));
    }

    [Fact]
    public void TheOptionGoesBeforeTheEnvironment()
    {
        (string, string)[] environment = [("HTTPS_PROXY", "http://10.0.0.1:1"), ("NO_PROXY", "example.org")];
        (HttpProxy? given, bool isOff) = HttpProxySource.ReadOption(Given("http://10.0.0.9:1", Option.Flag), Option);
        HttpProxy? chosen = HttpProxySource.Choose(given, isOff, Reader(environment), out _);
        Assert.Equal("10.0.0.9:1", chosen?.ToString());
        Assert.False(chosen!.Serves("mesh.example.org"));
        (given, isOff) = HttpProxySource.ReadOption(Given("off", Option.Flag), Option);
        Assert.Null(HttpProxySource.Choose(given, isOff, Reader(environment), out _));
    }

    /// <summary>It was set for other programs: no reason not to start, but one to say so.</summary>
    [Fact]
    public void AVariableThatIsNoHttpProxyIsNamedAndIgnored()
    {
        Assert.Null(HttpProxySource.Choose(null, false, Reader(("ALL_PROXY", "socks5://edge:secret@10.0.0.1:1")), out string? ignored));
        Assert.StartsWith("ALL_PROXY is not used: ", ignored, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", ignored, StringComparison.Ordinal);
    }

    private static HttpProxy? Choose(params (string Name, string Value)[] environment) =>
        HttpProxySource.Choose(null, false, Reader(environment), out _);

    private static Func<string, string?> Reader(params (string Name, string Value)[] environment) =>
        name => environment.FirstOrDefault(variable => variable.Name == name).Value;

    private static SettingValues Given(string text, string origin) =>
        new(new Dictionary<string, SettingValue> { [Option.Name] = new([text], origin) });
}
