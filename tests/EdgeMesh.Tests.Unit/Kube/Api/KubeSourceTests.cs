using EdgeMesh.Kube;
using EdgeMesh.Lab;
using EdgeMesh.Model;
using Microsoft.AspNetCore.Http;

namespace EdgeMesh.Tests.Unit.Kube.Api;

public sealed class KubeSourceTests : IAsyncLifetime
{
    private FakeApi api = null!;
    private SourceUnderTest source = null!;

    public async Task InitializeAsync()
    {
        api = await FakeApi.StartAsync();
        source = SourceUnderTest.On(api);
        api.Apply(ApiObjects.Node("edge1", "10.0.1.11"));
        api.Apply(ApiObjects.Service("video", "10.96.0.11"));
        api.Apply(ApiObjects.Slice("video-1", "video", "172.17.0.2"));
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await api.DisposeAsync();
    }

    [Fact]
    public async Task FollowsTheApi()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        Assert.True(source.Cell.Current.IsSynced);

        api.Apply(ApiObjects.Slice("video-1", "video", "172.17.0.2", "172.17.0.3"));
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("face=10.96.0.13[] video=10.96.0.11[172.17.0.2,172.17.0.3] edge1@10.0.1.11");

        api.Apply(ApiObjects.Slice("video-1", "face", "172.17.0.9"));
        api.Delete("Service", "default/video");
        api.Delete("Node", "edge1");
        await source.UntilAsync("face=10.96.0.13[172.17.0.9]");
    }

    [Fact]
    public async Task DestinationRulesAreFollowedWhereTheApiHasThem()
    {
        api.HasIstio = true;
        api.Apply(ApiObjects.Rule("by-load", "video", """{"simple":"LEAST_REQUEST"}"""));
        api.Apply(ApiObjects.Rule("odd", "video.default.svc.cluster.local", """{"simple":"MAGLEV"}"""));
        await source.StartAsync();
        await source.UntilAsync("the rule", snapshot => RulesOf(snapshot) == "default/by-load LeastLoaded");
        Assert.Contains(source.Source!.Status.Problems, p => p.Reason.Contains("\"MAGLEV\": the mesh knows", StringComparison.Ordinal));

        // It is kept on disk like the rest.
        await source.StopAsync();
        await source.StartAsync();
        Assert.Equal("default/by-load LeastLoaded", RulesOf(source.Cell.Current));
        api.Apply(ApiObjects.Rule("by-load", "face", """{"simple":"LEAST_REQUEST"}"""));
        api.Apply(ApiObjects.Rule("odd", "video", """{"consistentHash":{"useSourceIp":true}}"""));
        await source.UntilAsync("the rules", snapshot => RulesOf(snapshot) == "default/odd ClientHash");
        api.Delete("DestinationRule", "default/odd");
        api.Delete("DestinationRule", "default/by-load");
        await source.UntilAsync("no rule", snapshot => RulesOf(snapshot).Length == 0 && snapshot.Services.Count == 1);
        Assert.Empty(source.Source!.Status.Problems);
    }

    [Fact]
    public async Task NobodyMissesDestinationRulesWhereTheApiHasNone()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        await Eventually.HoldsAsync(() => api.Requests.Any(r => r.Contains("destinationrules", StringComparison.Ordinal)));
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("face=10.96.0.13[] video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        Assert.Empty(source.Source!.Status.Problems);
    }

    private static string RulesOf(MeshSnapshot snapshot) => snapshot.Services.TryGetValue(new ServiceName("default", "video"), out ServiceState? video)
        ? string.Join(' ', video.Rules.Select(r => $"{r.Key} {r.Policy}"))
        : "";

    [Fact]
    public async Task AnAnswerThatIsNoListEndsNothing()
    {
        int left = 3;
        api.Fault = _ => Interlocked.Decrement(ref left) >= 0 ? new FakeFault(200, "{}") : null;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
    }

    [Theory]
    [InlineData("""{"type":"ADDED","object":{"kind":"Service","metadata":{"name":"ghost","namespace":"default","resourceVersion":"1"},"spec":{"clusterIP":"10.96.9.9","ports":[{"port":80}]}}}""")]
    [InlineData("<html>a captive portal</html>")]
    public async Task EventsWithoutOrderOrSenseLeadToANewList(string line)
    {
        int left = 1;
        api.Fault = request => request.Path == "/api/v1/services" && IsPlainWatch(request) && Interlocked.Decrement(ref left) >= 0
            ? new FakeFault(200, line + "\n")
            : null;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");

        // By watch, and only the one behind the second list tells it.
        await Eventually.HoldsAsync(() =>
        {
            Assert.False(source.Cell.Current.Services.ContainsKey(new ServiceName("default", "ghost")));
            return api.Requests.Count(r => r.StartsWith("/api/v1/services?limit", StringComparison.Ordinal)) >= 2;
        });

        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("face=10.96.0.13[] video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
    }

    [Fact]
    public async Task AWatchThatEndsAtOnceIsAFault()
    {
        api.Fault = static request => request.Query.ContainsKey("watch") ? new FakeFault(200, "") : null;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        await Eventually.HoldsAsync(
            () => source.Source!.Status.Problems.Any(p => p.Reason.Contains("ends as it begins", StringComparison.Ordinal)));

        api.Fault = null;
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("the new Service", snapshot => snapshot.Services.Count == 2);
    }

    [Fact]
    public async Task PagesThroughLongLists()
    {
        for (int i = 0; i < 1201; i++)
        {
            api.Apply(ApiObjects.Service($"s{i}", $"10.97.{i / 250}.{(i % 250) + 1}"));
        }

        await source.StartAsync();
        await source.UntilAsync("all Services", snapshot => snapshot.Services.Count == 1202 && snapshot.IsSynced);
        Assert.Equal(3, api.Requests.Count(request => request.StartsWith("/api/v1/services?limit=500", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task WatchesOnWhereTheStreamEndedWithoutListingAgain()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        api.CutAll();
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("the new Service", snapshot => snapshot.Services.Count == 2);
        Assert.Single(api.Requests, request => request.StartsWith("/api/v1/services?limit", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ListsAgainAfterCompactionAndDeletesWhatVanished()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        api.Fault = _ => FakeFault.Broken;
        api.CutAll();
        api.Delete("Service", "default/video");
        api.Delete("EndpointSlice", "default/video-1");
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        api.Compact();
        api.Fault = null;
        await source.UntilAsync("face=10.96.0.13[] edge1@10.0.1.11");
    }

    [Fact]
    public async Task ServesFromDiskWhileNoApiIsInReachAndReconcilesAfterwards()
    {
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        await source.StopAsync();
        Assert.True(File.Exists(source.SnapshotFile));

        api.Fault = _ => FakeFault.Broken;
        await source.StartAsync();
        Assert.Equal("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11", SourceUnderTest.Text(source.Cell.Current));
        Assert.True(source.Cell.Current.IsSynced);
        Assert.Contains("serving the state of", source.Source!.Status.Source, StringComparison.Ordinal);

        api.Delete("Service", "default/video");
        api.Delete("EndpointSlice", "default/video-1");
        api.Compact();
        api.Fault = null;
        await source.UntilAsync("edge1@10.0.1.11");
        Assert.DoesNotContain("serving the state of", source.Source!.Status.Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetsADamagedStateAside()
    {
        await File.WriteAllTextAsync(source.SnapshotFile, "edgemesh-snapshot 1\nnonsense");
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        Assert.True(File.Exists(source.SnapshotFile + ".corrupt"));
    }

    [Fact]
    public async Task ReadsARotatedTokenAfterARefusal()
    {
        string file = Path.Combine(Path.GetDirectoryName(source.SnapshotFile)!, "token");
        await File.WriteAllTextAsync(file, "first\n");
        await using SourceUnderTest withToken = new(api, token: TokenSource.File(file));
        api.Token = "first";
        await withToken.StartAsync();
        await withToken.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");

        await File.WriteAllTextAsync(file, "second\n");
        api.Token = "second";
        api.CutAll();
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await withToken.UntilAsync("the new Service", snapshot => snapshot.Services.Count == 2);
    }

    [Fact]
    public async Task SaysWhatIsForbiddenAndServesTheRest()
    {
        api.Fault = request => request.Path == "/api/v1/nodes"
            ? new FakeFault(403, """{"kind":"Status","code":403,"message":"nodes is forbidden: User \"edgemesh\" cannot list resource"}""")
            : null;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2]");
        await source.UntilAsync("synced", snapshot => snapshot.IsSynced);
        SourceProblem problem = Assert.Single(source.Source!.Status.Problems);
        Assert.Contains("allow the agent's account to get, list and watch nodes", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HonoursRetryAfter()
    {
        int refused = 0;
        api.Fault = request => request.Path == "/api/v1/services" && Interlocked.Increment(ref refused) == 1 ? FakeFault.TooMany(1) : null;
        long began = Environment.TickCount64;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        Assert.True(Environment.TickCount64 - began >= 1000);
    }

    [Fact]
    public async Task ReadsEndpointsWhereThereAreNoSlices()
    {
        api.HasNoSlices = true;
        api.Apply(ApiObjects.Endpoints("video", "172.17.0.2", "172.17.0.3"));
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[!172.17.0.3,172.17.0.2] edge1@10.0.1.11");
        api.Apply(ApiObjects.Endpoints("video", "172.17.0.4", "172.17.0.5"));
        await source.UntilAsync("video=10.96.0.11[!172.17.0.5,172.17.0.4] edge1@10.0.1.11");
        api.Delete("Endpoints", "default/video");
        await source.UntilAsync("video=10.96.0.11[] edge1@10.0.1.11");
    }

    [Fact]
    public async Task ReportsABrokenObjectAndServesTheOthers()
    {
        api.Apply(ApiObjects.Service("broken", "not-an-address"));
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        Assert.Contains(source.Source!.Status.Problems, problem => problem.Reason.Contains("default/broken", StringComparison.Ordinal));
        api.Apply(ApiObjects.Service("broken", "10.96.0.99"));
        await source.UntilAsync("broken=10.96.0.99[] video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        Assert.Empty(source.Source!.Status.Problems);
    }

    [Fact]
    public async Task WithoutAnyApiAndAnyStateItSaysWhatWasTried()
    {
        ApiEndpoint first = new() { Name = "one", Base = new Uri("http://127.0.0.1:1") };
        ApiEndpoint second = new() { Name = "two", Base = new Uri("http://127.0.0.1:2") };
        await using KubeSource none = new(
            new SnapshotCell(), new KubeOptions(), [first, second], Path.GetDirectoryName(source.SnapshotFile)!, TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => none.StartAsync(CancellationToken.None));
        Assert.Equal(MeshExit.Unreachable, fault.Exit);
        Assert.Contains("one (", fault.Message, StringComparison.Ordinal);
        Assert.Contains("two (", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TakesTheListAsTheBeginningOfTheWatchWhereTheServerOffersThat()
    {
        api.StreamsLists = true;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        api.Delete("Service", "default/video");
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        await source.UntilAsync("face=10.96.0.13[] video=-[172.17.0.2] edge1@10.0.1.11");
        Assert.DoesNotContain(api.Requests, request => request.Contains("limit=", StringComparison.Ordinal));

        // What vanishes while it cannot be watched is missing in the next such list.
        api.Fault = static _ => FakeFault.Broken;
        api.CutAll();
        api.Delete("EndpointSlice", "default/video-1");
        api.Compact();
        api.Fault = null;
        await source.UntilAsync("face=10.96.0.13[] edge1@10.0.1.11");
    }

    [Fact]
    public async Task AListThatBreaksOffAsTheBeginningOfAWatchWipesNothing()
    {
        api.StreamsLists = true;
        await source.StartAsync();
        await source.UntilAsync("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        api.Fault = static _ => FakeFault.Broken;
        api.CutAll();
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        api.Compact();
        int broken = 0;
        api.Fault = request =>
        {
            if (!request.Query.ContainsKey("sendInitialEvents"))
            {
                Assert.Equal("video=10.96.0.11[172.17.0.2] edge1@10.0.1.11", SourceUnderTest.Text(source.Cell.Current));
                return broken > 0 || request.Query["watch"] == "1" ? null : FakeFault.Broken;
            }

            broken++;
            return new FakeFault(200, "");
        };
        await source.UntilAsync("the pages of a plain list", snapshot => snapshot.Services.Count == 2);
        Assert.True(broken > 0);
    }

    [Fact]
    public async Task AnAbsentApiARestartAndCompactedHistoryLoseNothingAndKeepNoGhost()
    {
        api.Apply(ApiObjects.Service("ghost", "10.96.0.66"));
        await source.StartAsync();
        await source.UntilAsync("ghost=10.96.0.66[] video=10.96.0.11[172.17.0.2] edge1@10.0.1.11");
        api.Fault = static _ => FakeFault.Broken;
        api.CutAll();
        api.Delete("Service", "default/ghost");
        api.Apply(ApiObjects.Service("face", "10.96.0.13"));
        api.Apply(ApiObjects.Slice("video-1", "video", "172.17.0.9"));
        api.Compact();

        // Served on from memory, and from disk after a restart.
        Assert.Equal("ghost=10.96.0.66[] video=10.96.0.11[172.17.0.2] edge1@10.0.1.11", SourceUnderTest.Text(source.Cell.Current));
        await source.StopAsync();
        await source.StartAsync();
        Assert.Equal("ghost=10.96.0.66[] video=10.96.0.11[172.17.0.2] edge1@10.0.1.11", SourceUnderTest.Text(source.Cell.Current));
        Assert.Contains("serving the state of", source.Source!.Status.Source, StringComparison.Ordinal);

        api.Fault = null;
        await source.UntilAsync("face=10.96.0.13[] video=10.96.0.11[172.17.0.9] edge1@10.0.1.11");
        await Eventually.HoldsAsync(() => !source.Source!.Status.Source.Contains("serving", StringComparison.Ordinal));
    }

    /// <summary>Changes, cuts, compactions, refusals, half answers and restarts in any order end with the server's state.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task WhateverHappensTheModelEndsEqualToTheServer(int seed)
    {
        Random random = new(seed);
        api.StreamsLists = seed % 2 == 0;
        Dictionary<string, string> services = new() { ["video"] = "10.96.0.11" };
        Dictionary<string, (string Service, string Address)> slices = new() { ["video-1"] = ("video", "172.17.0.2") };
        int fault = 0;
        api.Fault = request => Volatile.Read(ref fault) switch
        {
            1 when request.Query["watch"] != "1" => FakeFault.Cut,
            2 => FakeFault.Broken,
            3 when request.Query["watch"] == "1" => FakeFault.Gone,
            4 => FakeFault.NotJson,
            _ => null,
        };
        await source.StartAsync();
        for (int step = 0; step < 120; step++)
        {
            switch (random.Next(12))
            {
                case < 4:
                    string name = $"s{random.Next(12)}";
                    services[name] = $"10.96.1.{random.Next(1, 250)}";
                    api.Apply(ApiObjects.Service(name, services[name]));
                    break;
                case < 7:
                    string slice = $"x{random.Next(12)}";
                    slices[slice] = ($"s{random.Next(12)}", $"172.17.1.{random.Next(1, 250)}");
                    api.Apply(ApiObjects.Slice(slice, slices[slice].Service, slices[slice].Address));
                    break;
                case 7 when services.Count > 0:
                    string gone = services.Keys.ElementAt(random.Next(services.Count));
                    services.Remove(gone);
                    api.Delete("Service", "default/" + gone);
                    break;
                case 8 when slices.Count > 0:
                    string lost = slices.Keys.ElementAt(random.Next(slices.Count));
                    slices.Remove(lost);
                    api.Delete("EndpointSlice", "default/" + lost);
                    break;
                case 9:
                    api.CutAll();
                    break;
                case 10:
                    api.Compact();
                    Volatile.Write(ref fault, random.Next(5));
                    api.CutAll();
                    break;
                default:
                    if (random.Next(4) == 0)
                    {
                        await source.StopAsync();
                        await source.StartAsync();
                    }

                    await Task.Yield();
                    break;
            }
        }

        Volatile.Write(ref fault, 0);
        IEnumerable<string> names = services.Keys.Concat(slices.Values.Select(s => s.Service)).Distinct().Order(StringComparer.Ordinal);
        string expected = string.Join(' ', names.Select(n =>
            $"{n}={services.GetValueOrDefault(n, "-")}[{string.Join(',', slices.Values.Where(s => s.Service == n).Select(s => s.Address).Order(StringComparer.Ordinal))}]"));
        await source.UntilAsync(expected + " edge1@10.0.1.11");
    }

    /// <summary>A watch behind a list, not one that is to begin with the list.</summary>
    private static bool IsPlainWatch(HttpRequest request) =>
        request.Query.ContainsKey("watch") && !request.Query.ContainsKey("sendInitialEvents");
}
