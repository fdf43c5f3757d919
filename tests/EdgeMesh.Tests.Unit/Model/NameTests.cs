using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Model;

public class NameTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("a-1", true)]
    [InlineData("1a", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("A", false)]
    [InlineData("a_b", false)]
    [InlineData("a.b", false)]
    [InlineData("ä", false)]
    public void KnowsLabels(string text, bool expected) => Assert.Equal(expected, DnsName.IsLabel(text));

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void ALabelHasAtMost63Characters(int length, bool expected) => Assert.Equal(expected, DnsName.IsLabel(new string('a', length)));

    [Theory]
    [InlineData("edge-1.park", true)]
    [InlineData("edge", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData(".edge", false)]
    [InlineData("edge.", false)]
    [InlineData("a..b", false)]
    [InlineData("Edge", false)]
    public void KnowsNodeNames(string? text, bool expected)
    {
        Assert.Equal(expected, NodeName.TryParse(text, out NodeName name));
        Assert.Equal(expected ? text : "", name.ToString());
    }

    [Fact]
    public void ANodeNameHasAtMost253Characters()
    {
        string longest = string.Join('.', Enumerable.Repeat(new string('a', 62), 4)) + ".a";
        Assert.Equal(253, longest.Length);
        Assert.True(NodeName.TryParse(longest, out _));
        Assert.False(NodeName.TryParse(longest + "b", out _));
    }

    [Fact]
    public void ParseSaysWhatANodeNameIs() => Assert.Contains(
        "'Edge_1' is not a node name", Assert.Throws<FormatException>(() => NodeName.Parse("Edge_1")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("video", "default", "video")]
    [InlineData("edgezone/video", "edgezone", "video")]
    [InlineData("", null, null)]
    [InlineData(null, null, null)]
    [InlineData("a/b/c", null, null)]
    [InlineData("/video", null, null)]
    [InlineData("edgezone/", null, null)]
    [InlineData("a.b/c", null, null)]
    public void ReadsServiceNames(string? text, string? space, string? name)
    {
        Assert.Equal(name is not null, ServiceName.TryParse(text, out ServiceName parsed));
        Assert.Equal((space, name), (parsed.Namespace, parsed.Name));
    }

    [Fact]
    public void NamesSortByNamespaceThenName() => Assert.Equal(
        ["a/z", "b/a", "b/c"],
        new[] { new ServiceName("b", "c"), new ServiceName("a", "z"), new ServiceName("b", "a") }.Order().Select(name => name.ToString()));
}
