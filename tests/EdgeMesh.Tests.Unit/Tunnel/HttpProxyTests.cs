using System.Text;
using EdgeMesh.Tunnel;

namespace EdgeMesh.Tests.Unit.Tunnel;

public class HttpProxyTests
{
    [Theory]
    [InlineData("http://10.0.0.1:3128", "10.0.0.1:3128", null)]
    [InlineData("proxy.example:8080", "proxy.example:8080", null)]
    [InlineData("HTTP://proxy.example", "proxy.example:1080", null)]
    [InlineData("http://proxy.example:80/", "proxy.example:80", null)]
    [InlineData("http://[2001:db8::1]:3128", "[2001:db8::1]:3128", null)]
    [InlineData("http://edge:secret@proxy.example:3128", "proxy.example:3128", "edge:secret")]
    [InlineData("http://edge:s%40cret%3A@proxy.example:3128", "proxy.example:3128", "edge:s@cret:")]
    [InlineData("http://edge:at@last@proxy.example:3128", "proxy.example:3128", "edge:at@last")]
    [InlineData("http://edge@proxy.example:3128", "proxy.example:3128", "edge:")]
    public void ReadsUrlsAsCurlDoes(string text, string shown, string? login)
    {
        Assert.True(HttpProxy.TryParse(text, out HttpProxy? proxy, out _));
        Assert.Equal(shown, proxy.ToString());
        Assert.Equal(login, proxy.Credentials is { } credentials ? Encoding.UTF8.GetString(Convert.FromBase64String(credentials)) : null);
    }

    [Theory]
    [InlineData("https://edge:secret@proxy.example:3128")]
    [InlineData("socks5://edge:secret@proxy.example:3128")]
    [InlineData("http://edge:secret@proxy.example:port")]
    [InlineData("http://edge:secret@proxy.example:0")]
    [InlineData("http://edge:secret@two words:1")]
    [InlineData("http://edge:secret@2001:db8::1")]
    [InlineData("http://edge:secret@")]
    [InlineData("http://edge:secret@host\r\nX: y:1")]
    public void RefusesOthersWithoutRepeatingThePassword(string text)
    {
        Assert.False(HttpProxy.TryParse(text, out _, out string? fault));
        Assert.DoesNotContain("secret", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "mesh.example.org", true)]
    [InlineData("example.org", "mesh.example.org", false)]
    [InlineData(".example.org", "mesh.EXAMPLE.org", false)]
    [InlineData("other.org, mesh.example.org", "mesh.example.org", false)]
    [InlineData("ample.org", "mesh.example.org", true)]
    [InlineData("*", "mesh.example.org", false)]
    [InlineData("198.51.100.0/24", "198.51.100.7", false)]
    [InlineData("198.51.100.0/24", "198.51.101.7", true)]
    [InlineData("198.51.100.7 10.0.0.1", "198.51.100.7", false)]
    [InlineData("[2001:db8::1]", "2001:db8::1", false)]
    [InlineData("8.51.100.7", "198.51.100.7", true)]
    public void IsNotAskedForWhatNoProxyLists(string list, string host, bool serves)
    {
        Assert.True(HttpProxy.TryParse("http://10.0.0.1:3128", out HttpProxy? proxy, out _));
        Assert.Equal(serves, proxy.Except(list).Serves(host));
    }
}
