using EdgeMesh.App.Agent;
using EdgeMesh.App.Host;
using EdgeMesh.App.Settings;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.App;

public sealed class AgentChecksTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("app-checks-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void AMissingCommandIsNamedWithItsPackage()
    {
        MeshException e = Assert.Throws<MeshException>(() => AgentChecks.RequireCommand("nft-of-nowhere", "nftables", folder));
        Assert.Equal(MeshExit.Failed, e.Exit);
        Assert.Contains("'nft-of-nowhere' is missing", e.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install nftables", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACommandIsFoundInPathAndInTheUsualPlaces()
    {
        File.WriteAllText(Path.Combine(folder, "tool"), "");
        AgentChecks.RequireCommand("tool", "tools", "/nowhere:" + folder);
        AgentChecks.RequireCommand("sh", "dash", path: null);
    }

    [Fact]
    public void AStateDirectoryIsMadeForItsOwnerOnly()
    {
        string path = Path.Combine(folder, "a", "b");
        StateDirectory.Prepare(path);
        Assert.True(Directory.Exists(path));
        Assert.Empty(Directory.GetFileSystemEntries(path));
    }

    [Fact]
    public void AStateDirectoryThatCannotBeMadeIsNamed()
    {
        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        MeshException e = Assert.Throws<MeshException>(() => StateDirectory.Prepare(Path.Combine(file, "state")));
        Assert.Equal(MeshExit.Failed, e.Exit);
        Assert.Contains("--state-dir " + file, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTokenComesFromFileOrEnvironment()
    {
        string file = Path.Combine(folder, "token");
        File.WriteAllText(file, "  emt1.file\n");
        Assert.Equal("emt1.file", JoinTokenSource.Read(file, _ => "emt1.environment"));
        Assert.Equal("emt1.environment", JoinTokenSource.Read(null, name => name == "EDGEMESH_TOKEN" ? "emt1.environment " : null));
        Assert.Null(JoinTokenSource.Read(null, _ => null));
        Assert.Null(JoinTokenSource.Read(null, _ => " "));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n", "is empty")]
    public void AnEmptyTokenFileIsAUsageFault(string content, string expected)
    {
        string file = Path.Combine(folder, "token");
        File.WriteAllText(file, content);
        MeshException e = Assert.Throws<MeshException>(() => JoinTokenSource.Read(file, _ => "emt1.environment"));
        Assert.Equal(MeshExit.Usage, e.Exit);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingTokenFileIsNamed()
    {
        MeshException e = Assert.Throws<MeshException>(() => JoinTokenSource.Read(folder + "/none", _ => null));
        Assert.Equal(MeshExit.Usage, e.Exit);
        Assert.Contains("--token-file " + folder + "/none cannot be read", e.Message, StringComparison.Ordinal);
    }
}
