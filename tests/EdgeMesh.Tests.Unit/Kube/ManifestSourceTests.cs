using System.Diagnostics;
using EdgeMesh.Kube;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Kube;

/// <summary>On a real directory with real events; every wait is for a change, never for a time.</summary>
public sealed class ManifestSourceTests : IAsyncLifetime, IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("kube-manifests-").FullName;
    private readonly CancellationTokenSource timeout = new(TimeSpan.FromSeconds(30));
    private readonly SnapshotCell cell = new();
    private readonly string directory;
    private readonly SnapshotSubscription subscription;
    private ManifestSource source;

    public ManifestSourceTests()
    {
        directory = Path.Combine(root, "manifests");
        Directory.CreateDirectory(directory);
        subscription = cell.Subscribe();
        source = NewSource(cell);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await source.DisposeAsync();

    public void Dispose()
    {
        subscription.Dispose();
        timeout.Dispose();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task IsSyncedAfterTheFirstReading()
    {
        Write("a.yaml", Service("video", 1));
        Assert.False(source.Status.Synced);
        Assert.False(cell.Current.IsSynced);
        await source.StartAsync(timeout.Token);
        Assert.True(cell.Current.IsSynced);
        Assert.Equal((true, 1, 1, 0, 0), (source.Status.Synced, source.Status.Files, source.Status.Services, source.Status.EndpointSlices, source.Status.Nodes));
        Assert.NotEqual(default, source.Status.LastChange);
    }

    [Fact]
    public async Task AnEmptyDirectoryIsSynced()
    {
        await source.StartAsync(timeout.Token);
        Assert.True(cell.Current.IsSynced);
        Assert.True(source.Status.Synced);
    }

    [Fact]
    public async Task AMissingDirectoryIsAUsageFault()
    {
        await using ManifestSource missing = new(new SnapshotCell(), Path.Combine(root, "nowhere"), NullLoggerFactory.Instance);
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => missing.StartAsync(timeout.Token));
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Equal($"--manifests {root}/nowhere: there is no such directory: create it, or name one with Kubernetes YAML files", fault.Message);
    }

    [Fact]
    public async Task AFileInPlaceOfADirectoryIsAUsageFault()
    {
        await using ManifestSource file = new(new SnapshotCell(), Write("a.yaml", ""), NullLoggerFactory.Instance);
        MeshException fault = await Assert.ThrowsAsync<MeshException>(() => file.StartAsync(timeout.Token));
        Assert.Equal(MeshExit.Usage, fault.Exit);
        Assert.Contains("is a file", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServesTheGoodFilesWhenOneIsBrokenAtStart()
    {
        Write("good.yaml", Service("video", 1));
        Write("bad.yaml", Service("face", 999));
        await source.StartAsync(timeout.Token);
        Assert.True(cell.Current.IsSynced);
        Assert.Equal("video=10.0.0.1", Model());
        SourceProblem problem = Assert.Single(source.Status.Problems);
        Assert.Equal((Path.Combine(directory, "bad.yaml"), 4), (problem.File, problem.Line));
        Assert.Contains("\"10.0.0.999\" is neither an IP address nor None (the file is not used)", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FollowsFilesWrittenInPlaceAddedAndRemoved()
    {
        Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);

        Write("a.yaml", Service("video", 2));
        await ModelBecomes("video=10.0.0.2");
        Write("b.json", "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"face\"},\"spec\":{\"clusterIP\":\"10.0.0.3\",\"ports\":[{\"port\":1}]}}");
        await ModelBecomes("face=10.0.0.3,video=10.0.0.2");
        File.Delete(Path.Combine(directory, "a.yaml"));
        await ModelBecomes("face=10.0.0.3");
        Assert.Empty(source.Status.Problems);
    }

    [Fact]
    public async Task FollowsEditorsThatRenameOver()
    {
        string file = Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);

        string fresh = Write(".a.yaml.swp", Service("video", 2));
        File.Move(fresh, file, overwrite: true);
        await ModelBecomes("video=10.0.0.2");

        // The habit of vim with backups: the old file moves aside, a new one takes its name.
        File.Move(file, file + "~");
        Write("a.yaml", Service("video", 3));
        await ModelBecomes("video=10.0.0.3");
    }

    [Fact]
    public async Task FollowsTheLinkSwapOfAConfigMap()
    {
        WriteVersion("..v1", Service("video", 1));
        File.CreateSymbolicLink(Path.Combine(directory, "..data"), "..v1");
        File.CreateSymbolicLink(Path.Combine(directory, "a.yaml"), "..data/a.yaml");
        await source.StartAsync(timeout.Token);
        Assert.Equal("video=10.0.0.1", Model());

        // Same size and same time: only the link tells.
        string old = Path.Combine(directory, "..v1", "a.yaml");
        string now = WriteVersion("..v2", Service("video", 2));
        File.SetLastWriteTimeUtc(now, File.GetLastWriteTimeUtc(old));
        File.CreateSymbolicLink(Path.Combine(directory, "..data_tmp"), "..v2");
        using Process swap = Process.Start("mv", ["-T", Path.Combine(directory, "..data_tmp"), Path.Combine(directory, "..data")]);
        await swap.WaitForExitAsync(timeout.Token);
        await ModelBecomes("video=10.0.0.2");
    }

    [Fact]
    public async Task ABrokenSaveIsReportedAndTheReportGoesWhenItIsMended()
    {
        Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);

        Write("a.yaml", "apiVersion: v1\nkind: [\n");
        SourceStatus status = await StatusBecomes(status => status.Problems.Length == 1);
        Assert.Equal(Path.Combine(directory, "a.yaml"), status.Problems[0].File);
        Assert.InRange(status.Problems[0].Line, 2, 3);
        Assert.Contains("not YAML", status.Problems[0].Reason, StringComparison.Ordinal);
        Assert.Contains("last good state stays", status.Problems[0].Reason, StringComparison.Ordinal);
        Assert.Equal("video=10.0.0.1", Model());

        Write("a.yaml", Service("video", 2));
        await ModelBecomes("video=10.0.0.2");
        await StatusBecomes(status => status.Problems.IsEmpty);
    }

    [Fact]
    public async Task AnObjectInTwoFilesIsReportedUntilOneLetsGo()
    {
        string first = Write("a.yaml", Service("video", 1));
        string second = Write("b.yaml", Service("video", 2));
        await source.StartAsync(timeout.Token);
        string reason = Assert.Single(source.Status.Problems).ToString();
        Assert.Contains(first, reason, StringComparison.Ordinal);
        Assert.Contains(second, reason, StringComparison.Ordinal);

        File.Delete(first);
        await ModelBecomes("video=10.0.0.2");
        await StatusBecomes(status => status.Problems.IsEmpty);
    }

    [Fact]
    public async Task AFileTruncatedForAMomentLosesNothing()
    {
        string file = Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);
        using SnapshotSubscription changes = cell.Subscribe();
        await changes.NextAsync(timeout.Token);

        // The reading between truncation and write, made certain: another file's change is what wakes the source.
        File.WriteAllText(file, "");
        Write("b.yaml", Service("face", 3));
        MeshChange change = await changes.NextAsync(timeout.Token);
        Assert.Contains(new ServiceName("edgezone", "face"), change.Services);
        Assert.DoesNotContain(new ServiceName("edgezone", "video"), change.Services);

        File.WriteAllText(file, Service("video", 4));
        await ModelBecomes("face=10.0.0.3,video=10.0.0.4");
    }

    [Fact]
    public async Task AFileThatStaysEmptyHoldsNothing()
    {
        string file = Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);
        File.WriteAllText(file, "");
        await ModelBecomes("");
        Assert.Empty(source.Status.Problems);
    }

    [Fact]
    public async Task ADirectoryThatGoesAndComesBackIsFollowedAgain()
    {
        Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);

        Directory.Move(directory, directory + ".away");
        SourceStatus status = await StatusBecomes(status => status.Problems.Length == 1);
        Assert.Equal(directory, status.Problems[0].File);
        Assert.Equal("video=10.0.0.1", Model());

        Directory.CreateDirectory(directory);
        Write("a.yaml", Service("video", 2));
        await ModelBecomes("video=10.0.0.2");
        await StatusBecomes(status => status.Problems.IsEmpty);
    }

    [Fact]
    public async Task ALinkToNothingIsReported()
    {
        File.CreateSymbolicLink(Path.Combine(directory, "a.yaml"), "nowhere.yaml");
        await source.StartAsync(timeout.Token);
        Assert.Contains("is a link to nowhere.yaml, which does not exist", Assert.Single(source.Status.Problems).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SubdirectoriesAndEditorFilesAreNotRead()
    {
        Directory.CreateDirectory(Path.Combine(directory, "sub.yaml"));
        Write("sub.yaml/a.yaml", Service("sub", 1));
        Write(".a.yaml", Service("hidden", 2));
        Write("a.yaml~", Service("backup", 3));
        await source.StartAsync(timeout.Token);
        Assert.Equal("", Model());
        Assert.Empty(source.Status.Problems);
    }

    [Fact]
    public async Task StopsPublishingWhenDisposed()
    {
        Write("a.yaml", Service("video", 1));
        await source.StartAsync(timeout.Token);
        await source.DisposeAsync();
        MeshSnapshot last = cell.Current;
        await using ManifestSource other = NewSource(new SnapshotCell());
        await other.StartAsync(timeout.Token);
        Write("a.yaml", Service("video", 2));
        await other.WaitForStatusAsync(status => status.LastChange != default, timeout.Token);
        Assert.Same(last, cell.Current);
        source = NewSource(new SnapshotCell());
    }

    private static string Service(string name, int address) =>
        KubeText.Service(name, $"clusterIP: 10.0.0.{address}, ports: [{{port: 80}}]");

    private ManifestSource NewSource(SnapshotCell into) => new(into, directory, NullLoggerFactory.Instance);

    private string Write(string name, string text)
    {
        string file = Path.Combine(directory, name);
        File.WriteAllText(file, text);
        return file;
    }

    private string WriteVersion(string version, string text)
    {
        Directory.CreateDirectory(Path.Combine(directory, version));
        return Write(Path.Combine(version, "a.yaml"), text);
    }

    private string Model() => string.Join(
        ',', cell.Current.Services.Values.OrderBy(state => state.Name.Name).Select(state => $"{state.Name.Name}={state.Service!.ClusterIPs[0]}"));

    private async Task ModelBecomes(string expected)
    {
        while (Model() != expected)
        {
            await subscription.NextAsync(timeout.Token);
        }
    }

    private Task<SourceStatus> StatusBecomes(Predicate<SourceStatus> wanted) => source.WaitForStatusAsync(wanted, timeout.Token);
}
