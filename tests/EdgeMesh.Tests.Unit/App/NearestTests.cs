using EdgeMesh.App.Settings;

namespace EdgeMesh.Tests.Unit.App;

public class NearestTests
{
    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("same", "same", 0)]
    public void CountsEdits(string from, string to, int edits) => Assert.Equal(edits, Nearest.Distance(from, to));

    [Fact]
    public void FindsTheNearestAndNothingFarAway()
    {
        string[] known = ["server", "state-dir", "node-name"];
        Assert.Equal("state-dir", Nearest.Of("statedir", known));
        Assert.Equal("server", Nearest.Of("servers", known));
        Assert.Null(Nearest.Of("kubeconfig", known));
    }
}
