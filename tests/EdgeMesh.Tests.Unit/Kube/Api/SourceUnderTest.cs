using EdgeMesh.Kube;
using EdgeMesh.Lab;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeMesh.Tests.Unit.Kube.Api;

/// <summary>A source on the fake API, with a state directory that outlives its restarts.</summary>
internal sealed class SourceUnderTest(FakeApi api, bool isMetaServer = false, TokenSource? token = null) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string directory = Directory.CreateTempSubdirectory("em-kube-").FullName;

    public SnapshotCell Cell { get; private set; } = new();

    public KubeSource? Source { get; private set; }

    public string SnapshotFile => Path.Combine(directory, "model.snapshot");

    public static SourceUnderTest On(FakeApi api, bool isMetaServer = false) => new(api, isMetaServer);

    public async Task StartAsync()
    {
        Cell = new SnapshotCell();
        ApiEndpoint endpoint = new() { Name = "fake", Base = api.Address, IsMetaServer = isMetaServer, Token = token ?? TokenSource.None };
        Source = new KubeSource(Cell, new KubeOptions(), [endpoint], directory, TimeProvider.System, NullLoggerFactory.Instance);
        await Source.StartAsync(CancellationToken.None);
    }

    public async Task StopAsync()
    {
        await Source!.DisposeAsync();
        Source = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (Source is not null)
        {
            await StopAsync();
        }

        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Waits until the model is as wanted.</summary>
    public async Task UntilAsync(string what, Func<MeshSnapshot, bool> isWanted)
    {
        using CancellationTokenSource limit = new(Patience);
        using SnapshotSubscription changes = Cell.Subscribe();
        while (!isWanted(Cell.Current))
        {
            try
            {
                await changes.NextAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"not within {Patience.TotalSeconds} s: {what}; the model: {Text(Cell.Current)}; {string.Join("; ", Source!.Status.Problems)}");
            }
        }
    }

    public Task UntilAsync(string model) => UntilAsync(model, snapshot => Text(snapshot) == model);

    /// <summary>Services with their addresses and endpoints, Nodes: one line that two states can be compared by.</summary>
    public static string Text(MeshSnapshot snapshot) => string.Join(' ',
        snapshot.Services.Values.OrderBy(s => s.Name.ToString(), StringComparer.Ordinal).Select(state =>
            $"{state.Name.Name}={(state.Service is null ? "-" : string.Join(',', state.Service.ClusterIPs))}"
            + $"[{string.Join(',', state.Slices.SelectMany(s => s.Endpoints).Select(e => (e.IsReady ? "" : "!") + e.Address).Order(StringComparer.Ordinal))}]")
        .Concat(snapshot.Nodes.Values.OrderBy(n => n.Name.Value, StringComparer.Ordinal).Select(n => $"{n.Name.Value}@{string.Join(',', n.Addresses)}")));
}
