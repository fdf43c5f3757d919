using System.Collections.Immutable;
using System.Net;
using CsCheck;
using EdgeMesh.Kube;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

public class ManifestSetTests
{
    private readonly SnapshotCell cell = new();
    private readonly ManifestSet set = new();

    [Fact]
    public void ABrokenFileKeepsItsLastGoodStateAndOnlyItsOwn()
    {
        Put("a.yaml", Service("a", 1));
        Put("b.yaml", Service("b", 2));
        Put("a.yaml", new ManifestContent([], [new Fault(7, "bad")]));
        Put("b.yaml", Service("b", 3));
        Assert.Equal(["edgezone/a 10.0.0.1", "edgezone/b 10.0.0.3"], Services());
        SourceProblem problem = Assert.Single(Problems());
        Assert.Equal("/d/a.yaml:7: bad (its last good state stays in force)", problem.ToString());
    }

    [Fact]
    public void AFileThatWasNeverGoodContributesNothing()
    {
        Put("a.yaml", new ManifestContent([], [new Fault(7, "bad")]));
        Assert.Empty(Services());
        Assert.Equal("/d/a.yaml:7: bad (the file is not used)", Assert.Single(Problems()).ToString());
    }

    [Fact]
    public void RemovingABrokenFileRemovesItsObjectsAndItsProblem()
    {
        Put("a.yaml", Service("a", 1));
        Put("a.yaml", new ManifestContent([], [new Fault(1, "bad")]));
        Remove("a.yaml");
        Assert.Empty(Services());
        Assert.Empty(Problems());
    }

    [Theory]
    [InlineData("a.yaml", "b.yaml")]
    [InlineData("b.yaml", "a.yaml")]
    public void AnObjectInTwoFilesIsTakenFromTheFirstByName(string first, string second)
    {
        Put(first, Service("x", first == "a.yaml" ? 1 : 2));
        Put(second, Service("x", second == "a.yaml" ? 1 : 2));
        Assert.Equal(["edgezone/x 10.0.0.1"], Services());
        Assert.Equal("/d/b.yaml:1: Service edgezone/x also stands in /d/a.yaml line 1, which is used", Assert.Single(Problems()).ToString());

        Remove("a.yaml");
        Assert.Equal(["edgezone/x 10.0.0.2"], Services());
        Assert.Empty(Problems());
        Assert.Equal(1, set.CountOf(ObjectKind.Service));
    }

    [Fact]
    public void ASliceThatChangesItsServiceLeavesTheOldOne()
    {
        Put("a.yaml", Slice("s", "old"));
        Put("a.yaml", Slice("s", "new"));
        Assert.Equal([KubeText.Name("new")], cell.Current.Services.Keys);
    }

    [Fact]
    public void ReplaceRemovesWhatAnotherSourceHadLeft()
    {
        MeshUpdate update = new(cell.Current);
        update.Set(new Service { Name = KubeText.Name("ghost") });
        update.Set(Slice("s", "ghost").Objects[0].Value as EndpointSlice ?? throw new InvalidOperationException());
        update.Set(Slice("t", "ghost").Objects[0].Value as EndpointSlice ?? throw new InvalidOperationException());
        update.Set(new Node { Name = NodeName.Parse("gone") });
        cell.Publish(update);

        update = new MeshUpdate(cell.Current);
        set.Put("a.yaml", Slice("s", "video"), update);
        set.Put("b.yaml", Slice("t", "ghost"), update);
        set.Replace(update);
        cell.Publish(update);
        Assert.Equal(["ghost", "video"], cell.Current.Services.Keys.Select(name => name.Name).Order());
        Assert.Equal("edgezone/t", Assert.Single(cell.Current.Services[KubeText.Name("ghost")].Slices).Key);
        Assert.Null(cell.Current.Services[KubeText.Name("ghost")].Service);
        Assert.Empty(cell.Current.Nodes);
    }

    /// <summary>Any history of files ends where a fresh reading of the final files begins.</summary>
    [Fact]
    public void HistoryDoesNotMatter()
    {
        Gen<ManifestContent> content = Gen.Select(Gen.Int[0, 8], Gen.Int[0, 3], Gen.Int[1, 3]).Array[0, 6].Select(Content);
        Gen.Select(Gen.Int[0, 3], Gen.OneOf(content, content, Gen.Const((ManifestContent)null!))).Array[0, 25].Sample(
            edits =>
            {
                SnapshotCell live = new();
                ManifestSet history = new();
                SortedDictionary<string, ManifestContent> final = [];
                foreach ((int number, ManifestContent? now) in edits)
                {
                    string file = $"{number}.yaml";
                    MeshUpdate update = new(live.Current);
                    if (now is null)
                    {
                        history.Remove(file, update);
                        final.Remove(file);
                    }
                    else
                    {
                        history.Put(file, now, update);
                        final[file] = now;
                    }

                    live.Publish(update);
                }

                SnapshotCell fresh = new();
                ManifestSet reading = new();
                MeshUpdate all = new(fresh.Current);
                foreach ((string file, ManifestContent now) in final.Reverse())
                {
                    reading.Put(file, now, all);
                }

                fresh.Publish(all);
                Assert.Equal(ModelText.Of(fresh.Current), ModelText.Of(live.Current));
                Assert.Equal(reading.Problems(PathOf).AsEnumerable(), history.Problems(PathOf));
                Assert.All(Enum.GetValues<ObjectKind>(), kind => Assert.Equal(reading.CountOf(kind), history.CountOf(kind)));
            },
            iter: 2_000);
    }

    private static ManifestContent Content((int Object, int Service, int Version)[] objects) => new(
        [
            .. objects.Select(o => o.Object switch
            {
                < 3 => Service($"svc{o.Object}", o.Version),
                < 6 => Slice($"slice{o.Object}", $"svc{o.Service}", o.Version),
                _ => Node($"node{o.Object}", o.Version),
            }).SelectMany(one => one.Objects).DistinctBy(mapped => mapped.Key),
        ],
        []);

    private static ManifestContent Service(string name, int version) => Of(
        ObjectKind.Service, name, new Service { Name = KubeText.Name(name), ClusterIPs = [new IPAddress([10, 0, 0, (byte)version])] });

    private static ManifestContent Slice(string name, string service, int version = 1) => Of(
        ObjectKind.EndpointSlice,
        name,
        new EndpointSlice
        {
            Key = $"edgezone/{name}",
            Service = KubeText.Name(service),
            Endpoints = [new Endpoint { Address = new IPAddress([172, 17, 0, (byte)version]) }],
        });

    private static ManifestContent Node(string name, int version) =>
        new([new MappedObject(new ObjectKey(ObjectKind.Node, "", name), 1, new Node { Name = NodeName.Parse(name), Zone = $"z{version}" })], []);

    private static ManifestContent Of(ObjectKind kind, string name, object value) =>
        new([new MappedObject(new ObjectKey(kind, "edgezone", name), 1, value)], []);

    private static string PathOf(string file) => $"/d/{file}";

    private void Put(string file, ManifestContent content)
    {
        MeshUpdate update = new(cell.Current);
        set.Put(file, content, update);
        cell.Publish(update);
    }

    private void Remove(string file)
    {
        MeshUpdate update = new(cell.Current);
        set.Remove(file, update);
        cell.Publish(update);
    }

    private ImmutableArray<SourceProblem> Problems() => set.Problems(PathOf);

    private IEnumerable<string> Services() => cell.Current.Services.Values
        .Select(state => $"{state.Name} {state.Service!.ClusterIPs[0]}").Order(StringComparer.Ordinal);
}
