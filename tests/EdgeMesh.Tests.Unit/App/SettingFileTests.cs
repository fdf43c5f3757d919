using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.App;

public class SettingFileTests
{
    private static readonly Setting Name = Setting.Text("node-name", "NAME", "name");
    private static readonly Setting Server = Setting.List("server", "HOST", "servers");
    private static readonly Setting Listen = Setting.List("dns.listen", "ADDRESS", "listen");
    private static readonly Setting Keep = Setting.Switch("keep-rules", "keep");
    private static readonly Setting[] All = [Name, Server, Listen, Keep];

    [Fact]
    public void ReadsValuesListsAndNestedKeys()
    {
        IReadOnlyDictionary<string, SettingValue> read = SettingFile.Parse(
            """
            # the edge
            node-name: edge1
            server: [a.example, b.example:443]
            dns:
              listen: 169.254.96.16:53
            keep-rules: true
            """, "edge.yaml", All);

        Assert.Equal(["edge1"], read["node-name"].Texts);
        Assert.Equal(["a.example", "b.example:443"], read["server"].Texts);
        Assert.Equal(["169.254.96.16:53"], read["dns.listen"].Texts);
        Assert.Equal("edge.yaml:5: dns.listen", read["dns.listen"].Origin);
        Assert.Equal(["true"], read["keep-rules"].Texts);
    }

    [Theory]
    [InlineData("dns.listen: x")]
    [InlineData("dns: {listen: x}")]
    public void DotAndNestingMeanTheSame(string text) =>
        Assert.Equal(["x"], SettingFile.Parse(text, "f", All)["dns.listen"].Texts);

    [Theory]
    [InlineData("node-name: a\nnodename: b", "edge.yaml:2: unknown key 'nodename'; did you mean 'node-name'?")]
    [InlineData("dns:\n  lisen: b", "edge.yaml:2: unknown key 'dns.lisen'; did you mean 'dns.listen'?")]
    [InlineData("zebra: 1", "edge.yaml:1: unknown key 'zebra'")]
    [InlineData("node-name: a\n\nnode-name: b", "edge.yaml:3")]
    [InlineData("node-name: [a, b]", "edge.yaml:1: 'node-name' must be one value (NAME)")]
    [InlineData("keep-rules:", "edge.yaml:1: 'keep-rules' must be true or false")]
    [InlineData("server:\n- a\n- {b: c}", "edge.yaml:3: each value of 'server' must be plain text")]
    [InlineData("- a", "edge.yaml:1: expected 'option: value' lines")]
    [InlineData("node-name: a\nserver: [", "edge.yaml:")]
    [InlineData("node-name: a\n---\nnode-name: b", "edge.yaml:3: a second YAML document")]
    public void NamesKeyAndLineOfAFault(string text, string message)
    {
        MeshException e = Assert.Throws<MeshException>(() => SettingFile.Parse(text, "edge.yaml", All));
        Assert.Equal(MeshExit.Usage, e.Exit);
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    public void AnEmptyFileGivesNothing(string text) => Assert.Empty(SettingFile.Parse(text, "f", All));

    [Fact]
    public void AMissingFileIsAUsageFaultThatNamesIt()
    {
        MeshException e = Assert.Throws<MeshException>(() => SettingFile.Load("/nonexistent/edge.yaml", All));
        Assert.Equal(MeshExit.Usage, e.Exit);
        Assert.Contains("/nonexistent/edge.yaml", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FlagsWinOverTheFile()
    {
        SettingValues values = SettingValues.Merge(
            SettingFile.Parse("node-name: file\nserver: s", "f", All),
            new Dictionary<string, SettingValue> { ["node-name"] = new(["flag"], "--node-name") });
        Assert.Equal("flag", values.Text(Name));
        Assert.Equal(["s"], values.List(Server));
    }
}
