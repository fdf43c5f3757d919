using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace EdgeMesh.Tests.Unit.Architecture;

/// <summary>
/// The arrows between rooms, as ARCHITECTURE.md draws them. A project reference outside the list fails, and so does a
/// compiled reference: a transitive one needs no line in the project file.
/// </summary>
public class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Model"] = [],
        ["Quic"] = [],
        ["Kube"] = ["Model"],
        ["Dns"] = ["Model"],
        ["Proxy"] = ["Model"],
        ["Tunnel"] = ["Model", "Quic"],
        ["Server"] = ["Model", "Quic", "Tunnel"],
        ["App"] = ["Dns", "Kube", "Model", "Proxy", "Quic", "Server", "Tunnel"],
    };

    public static TheoryData<string> Rooms => [.. Allowed.Keys];

    [Fact]
    public void EveryRoomIsInTheList() => Assert.Equal(Allowed.Keys.Order(), Repository.Rooms);

    [Theory]
    [MemberData(nameof(Rooms))]
    public void ProjectsReferenceOnlyWhatTheArrowsAllow(string room)
    {
        IEnumerable<string> referenced = XDocument.Load(Repository.PathOf($"src/EdgeMesh.{room}/EdgeMesh.{room}.csproj"))
            .Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)["EdgeMesh.".Length..]);
        Assert.Empty(referenced.Except(Allowed[room]));
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void AssembliesReferenceOnlyWhatTheArrowsAllow(string room)
    {
        string name = room == "App" ? "edgemesh" : $"EdgeMesh.{room}";
        using PEReader file = new(File.OpenRead(Path.Combine(AppContext.BaseDirectory, name + ".dll")));
        MetadataReader metadata = file.GetMetadataReader();
        List<string> referenced = [];
        foreach (AssemblyReferenceHandle handle in metadata.AssemblyReferences)
        {
            string other = metadata.GetString(metadata.GetAssemblyReference(handle).Name);
            if (other.StartsWith("EdgeMesh.", StringComparison.Ordinal))
            {
                referenced.Add(other["EdgeMesh.".Length..]);
            }
        }

        Assert.Empty(referenced.Except(Allowed[room]));
    }

    [Fact]
    public void TheProxyHandsBytesToADelegateAndNeverSeesTheTunnel() => Assert.DoesNotContain("Tunnel", Allowed["Proxy"]);

    [Fact]
    public void OnlyTheQuicRoomMayBeUnsafe()
    {
        IEnumerable<string> projects = Repository.Files("src", "*.csproj")
            .Where(p => Repository.Read(p).Contains("<AllowUnsafeBlocks>true", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(["src/EdgeMesh.Quic/EdgeMesh.Quic.csproj"], projects);
    }

    [Fact]
    public void CentralBuildSettingsDoNotAllowUnsafeCode() =>
        Assert.DoesNotContain("AllowUnsafeBlocks", Repository.Read("Directory.Build.props"), StringComparison.Ordinal);
}
