using System.Text.Json.Nodes;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Unit.Kube.Api;

/// <summary>KubeEdge's MetaServer: LIST is the truth where it is the cloud's, WATCH a hint.</summary>
public sealed class MetaServerTests : IAsyncLifetime
{
    private FakeApi api = null!;
    private SourceUnderTest source = null!;

    public async Task InitializeAsync()
    {
        api = await FakeApi.StartAsync();
        api.MetaServer = MetaServerMode.Cloud;
        source = SourceUnderTest.On(api, isMetaServer: true);
        api.Apply(ApiObjects.Service("video", "10.96.0.11"));
        api.Apply(ApiObjects.Slice("video-1", "video", "172.17.0.2"));
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await api.DisposeAsync();
    }

    [Fact]
    public async Task FollowsChangesThroughTheWatchAndDeletesByTheList()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2]");
        await UntilWatchedAsync();
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("face=10.96.0.13[] video=10.96.0.11[172.17.0.2]");
        api.Delete("Service", "default/video");
        await source.UntilAsync("face=10.96.0.13[] video=-[172.17.0.2]");
    }

    [Fact]
    public async Task UnknownIsNotEmpty()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2]");
        await source.StopAsync();
        api.MetaServer = MetaServerMode.Unknown;
        await source.StartAsync();
        await Eventually.HoldsAsync(() => source.Source!.Status.Problems.Length == 3);
        Assert.Equal("video=10.96.0.11[172.17.0.2]", SourceUnderTest.Text(source.Cell.Current));
        Assert.Contains(source.Source!.Status.Problems, problem => problem.Reason.Contains("not the same as nothing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TheNodesOwnDatabaseNeverWipesAndNeverRevives()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2]");
        await source.StopAsync();
        api.MetaServer = MetaServerMode.Local;
        JsonObject ghost = ApiObjects.Service("ghost", "10.96.0.66");
        ghost["metadata"]!["resourceVersion"] = "7";
        api.Ghosts.Add(ghost);
        api.Delete("Service", "default/video");
        await source.StartAsync();
        await Eventually.HoldsAsync(() => source.Source!.Status.Problems.Length == 3);
        Assert.StartsWith("video=10.96.0.11", SourceUnderTest.Text(source.Cell.Current), StringComparison.Ordinal);
        Assert.DoesNotContain("ghost", SourceUnderTest.Text(source.Cell.Current), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReplayedObjectThatTheListLacksIsAGhost()
    {
        JsonObject ghost = ApiObjects.Service("ghost", "10.96.0.66");
        ghost["metadata"]!["resourceVersion"] = "7";
        api.Ghosts.Add(ghost);
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2]");
        await UntilWatchedAsync();

        // What comes behind the replay has passed it.
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("face=10.96.0.13[] video=10.96.0.11[172.17.0.2]");
    }

    [Fact]
    public async Task WatchesNothingThatTheCloudHasNotConfirmed()
    {
        api.MetaServer = MetaServerMode.Local;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2]");
        await UntilRequestedAsync("/api/v1/nodes");
        Assert.DoesNotContain(api.Requests, request => request.Contains("watch=1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TwoWatchesNeverHaveTheSameQuery()
    {
        await source.StartAsync();
        await UntilWatchedAsync();
        string[] watches = [.. api.Requests.Where(request => request.Contains("watch=1", StringComparison.Ordinal)).Select(request => request[request.IndexOf('?', StringComparison.Ordinal)..])];
        Assert.Equal(watches.Distinct().Count(), watches.Length);
    }

    private Task UntilWatchedAsync() => Eventually.HoldsAsync(() => api.Requests.Count(request => request.Contains("watch=1", StringComparison.Ordinal)) >= 3);

    private Task UntilRequestedAsync(string path) => Eventually.HoldsAsync(() => api.Requests.Contains(path));
}
