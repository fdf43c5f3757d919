using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Model;

public class MeshUpdateTests
{
    private static readonly ServiceName Video = new("default", "video");

    [Fact]
    public void SlicesMayComeBeforeTheirService()
    {
        MeshSnapshot first = After(MeshSnapshot.Empty, update => update.Set(Slice("s1")));
        Assert.Null(first.Services[Video].Service);
        MeshSnapshot second = After(first, update => update.Set(new Service { Name = Video }));
        Assert.NotNull(second.Services[Video].Service);
        Assert.Single(second.Services[Video].Slices);
    }

    [Fact]
    public void ANameIsGoneWhenServiceAndSlicesAre()
    {
        MeshSnapshot both = After(MeshSnapshot.Empty, update =>
        {
            update.Set(new Service { Name = Video });
            update.Set(Slice("s1"));
        });
        MeshSnapshot sliceOnly = After(both, update => update.RemoveService(Video));
        Assert.Single(sliceOnly.Services[Video].Slices);
        Assert.Empty(After(sliceOnly, update => update.RemoveSlice(Video, "default/s1")).Services);
    }

    [Fact]
    public void ASliceIsReplacedByItsKey()
    {
        MeshSnapshot before = After(MeshSnapshot.Empty, update =>
        {
            update.Set(Slice("s1", 1));
            update.Set(Slice("s2", 2));
        });
        MeshSnapshot after = After(before, update => update.Set(Slice("s1", 9)));
        Assert.Equal([9, 2], after.Services[Video].Slices.Select(slice => (int)slice.Endpoints[0].Address.GetAddressBytes()[3]));
        Assert.Same(before.Services[Video].Slices[1], after.Services[Video].Slices[1]);
    }

    [Fact]
    public void EqualContentIsNoChange()
    {
        MeshSnapshot before = After(MeshSnapshot.Empty, update =>
        {
            update.Set(new Service { Name = Video, ClusterIPs = [IPAddress.Parse("10.0.0.1")] });
            update.Set(Slice("s1"));
            update.Set(new Node { Name = NodeName.Parse("n"), Addresses = [IPAddress.Parse("10.0.0.1")] });
        });
        MeshUpdate update = new(before);
        update.Set(new Service { Name = Video, ClusterIPs = [IPAddress.Parse("10.0.0.1")] });
        update.Set(Slice("s1"));
        update.Set(new Node { Name = NodeName.Parse("n"), Addresses = [IPAddress.Parse("10.0.0.1")] });
        update.RemoveService(new ServiceName("default", "nobody"));
        update.RemoveSlice(Video, "default/nothing");
        update.RemoveNode(NodeName.Parse("nowhere"));
        Assert.True(update.IsEmpty);
        Assert.Same(before, update.ToSnapshot());
    }

    [Fact]
    public void OnlyWhatChangedIsNew()
    {
        MeshSnapshot before = After(MeshSnapshot.Empty, update =>
        {
            for (int i = 0; i < 100; i++)
            {
                update.Set(new Service { Name = new ServiceName("default", $"s{i}") });
            }
        });
        MeshUpdate update = new(before);
        update.Set(new Service { Name = new ServiceName("default", "s7"), Uid = "new" });
        MeshSnapshot after = update.ToSnapshot();
        Assert.Equal([new ServiceName("default", "s7")], update.ChangedServices);
        Assert.All(
            before.Services.Values.Where(state => state.Name.Name != "s7"), state => Assert.Same(state, after.Services[state.Name]));
    }

    [Fact]
    public void AnUpdateLeavesItsOriginAlone()
    {
        MeshSnapshot before = After(MeshSnapshot.Empty, update => update.Set(Slice("s1")));
        After(before, update => update.RemoveSlice(Video, "default/s1"));
        Assert.Single(before.Services[Video].Slices);
    }

    private static EndpointSlice Slice(string name, byte address = 1) => new()
    {
        Key = $"default/{name}",
        Service = Video,
        Endpoints = [new Endpoint { Address = new IPAddress([172, 17, 0, address]) }],
    };

    private static MeshSnapshot After(MeshSnapshot origin, Action<MeshUpdate> change)
    {
        MeshUpdate update = new(origin);
        change(update);
        return update.ToSnapshot();
    }
}
