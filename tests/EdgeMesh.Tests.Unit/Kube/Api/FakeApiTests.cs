using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Unit.Kube.Api;

/// <summary>The API server of the tests is as the recorded real one, and kubectl can work with it.</summary>
public sealed class FakeApiTests : IAsyncLifetime
{
    private static readonly HttpClient Http = new();
    private FakeApi api = null!;

    public async Task InitializeAsync()
    {
        api = await FakeApi.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            api.Apply(ApiObjects.Service($"s{i}", $"10.96.0.{i + 10}"));
            api.Apply(ApiObjects.Slice($"s{i}-1", $"s{i}", "172.17.0.2"));
        }

        api.Apply(ApiObjects.Node("edge-1", "192.168.1.11"));
    }

    public async Task DisposeAsync() => await api.DisposeAsync();

    [Theory]
    [InlineData("list-services", "/api/v1/services", 200)]
    [InlineData("list-endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", 200)]
    [InlineData("list-nodes", "/api/v1/nodes", 200)]
    [InlineData("list-services-page1", "/api/v1/services?limit=2", 200)]
    [InlineData("list-continue-expired", "/api/v1/services?limit=2&continue=MXxkZWZhdWx0L3Mw", 410)]
    [InlineData("unauthorized", "/api/v1/services", 401)]
    [InlineData("list-crd-absent", "/apis/networking.istio.io/v1alpha3/destinationrules", 404)]
    public async Task AnswersAsTheRealServer(string recording, string path, int status)
    {
        api.Token = status == 401 ? "the right one" : null;
        using HttpResponseMessage answer = await Http.GetAsync(new Uri(api.Address, path));
        (int recordedStatus, string type, string body) = Recorded(recording);
        Assert.Equal((recordedStatus, type), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.ToString()));
        Assert.Equal(status, recordedStatus);
        string own = await answer.Content.ReadAsStringAsync();
        if (body[0] != '{')
        {
            Assert.Equal(body, own);
            return;
        }

        (JsonObject real, JsonObject fake) = (JsonNode.Parse(body)!.AsObject(), JsonNode.Parse(own)!.AsObject());
        Assert.Equal(Names(real), Names(fake));
        Assert.Equal((string?)real["kind"], (string?)fake["kind"]);
        Assert.Equal((string?)real["apiVersion"], (string?)fake["apiVersion"]);
        Assert.Equal((string?)real["reason"], (string?)fake["reason"]);
        if (status == 200)
        {
            Assert.Equal(Names(real["metadata"]!), Names(fake["metadata"]!));
            Assert.True(((string)fake["metadata"]!["resourceVersion"]!).All(char.IsAsciiDigit));
            JsonObject item = fake["items"]![0]!.AsObject();
            Assert.DoesNotContain("kind", Names(item));
            Assert.Empty(Names(item).Except(Names(real["items"]![0]!)));
            Assert.Empty(Names(item["metadata"]!).Except([.. Names(real["items"]![0]!["metadata"]!), "annotations"]));
        }
    }

    [Theory]
    [InlineData("watch-services", "/api/v1/services", "DELETED")]
    [InlineData("watch-too-old", "/api/v1/services", "ERROR")]
    public async Task WatchesAsTheRealServer(string recording, string path, string last)
    {
        JsonObject real = JsonNode.Parse(Recorded(recording).Body.Split('\n').First(line => line.Contains($"\"{last}\"", StringComparison.Ordinal)))!.AsObject();
        JsonNode list = JsonNode.Parse(await Http.GetStringAsync(new Uri(api.Address, path)))!;
        long version = long.Parse((string)list["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
        if (last == "ERROR")
        {
            api.Compact();
            version = 1;
        }

        api.Delete("Service", "default/s0");
        using HttpResponseMessage answer = await Http.GetAsync(
            new Uri(api.Address, $"{path}?watch=1&resourceVersion={version}&timeoutSeconds=20"), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using StreamReader lines = new(await answer.Content.ReadAsStreamAsync());
        JsonObject fake = JsonNode.Parse((await lines.ReadLineAsync())!)!.AsObject();
        Assert.Equal(last, (string)fake["type"]!);
        Assert.Equal(Names(real), Names(fake));
        Assert.Equal((string?)real["object"]!["kind"], (string?)fake["object"]!["kind"]);
        Assert.Equal((string?)real["object"]!["apiVersion"], (string?)fake["object"]!["apiVersion"]);
        Assert.Equal((int?)real["object"]!["code"], (int?)fake["object"]!["code"]);
    }

    /// <summary>Where kubectl is installed: <c>apply</c>, <c>get</c>, <c>delete</c>, and the mesh's source follows each.</summary>
    [Fact]
    public async Task KubectlDrivesIt()
    {
        string? kubectl = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists);
        if (kubectl is null)
        {
            return;
        }

        string folder = Directory.CreateTempSubdirectory("em-kubectl-").FullName;
        await using SourceUnderTest source = SourceUnderTest.On(api);
        try
        {
            await source.StartAsync();
            await source.UntilAsync("the first five", model => model.IsSynced && model.Services.Count == 5);
            string file = Path.Combine(folder, "video.yaml");
            await File.WriteAllTextAsync(file, """
                apiVersion: v1
                kind: Service
                metadata: {name: video, namespace: default}
                spec: {clusterIP: 10.96.0.99, clusterIPs: [10.96.0.99], ports: [{name: http, port: 80}]}
                """);
            Assert.Contains("service/video created", await RunAsync(kubectl, folder, "apply", "--validate=false", "-f", file), StringComparison.Ordinal);
            await source.UntilAsync("what was applied", model => SourceUnderTest.Text(model).Contains("video=10.96.0.99", StringComparison.Ordinal));
            Assert.Contains("video", await RunAsync(kubectl, folder, "get", "services"), StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("port: 80", "port: 81", StringComparison.Ordinal));
            Assert.Contains("service/video configured", await RunAsync(kubectl, folder, "apply", "--validate=false", "-f", file), StringComparison.Ordinal);
            await source.UntilAsync("the new port", model => model.Services.Values.Any(s => s.Service?.Ports is [{ Port: 81 }]));
            Assert.Contains("deleted", await RunAsync(kubectl, folder, "delete", "service", "video", "--wait=false"), StringComparison.Ordinal);
            await source.UntilAsync("its end", model => model.Services.Count == 5);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<string> RunAsync(string kubectl, string home, params string[] arguments)
    {
        ProcessStartInfo start = new(kubectl, [$"--server={api.Address}", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["HOME"] = home, ["KUBECONFIG"] = "/dev/null" },
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"kubectl {string.Join(' ', arguments)}: {output}{await errors}");
        return output;
    }

    private static IEnumerable<string> Names(JsonNode node) => node.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal);

    private static (int Status, string Type, string Body) Recorded(string name, [CallerFilePath] string here = "")
    {
        string text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "..", "recordings", name + ".http")).ReplaceLineEndings("\n");
        string[] parts = text.Split("\n\n", 3);
        string[] head = parts[1].Split('\n');
        return (
            int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture),
            head.First(line => line.StartsWith("Content-Type: ", StringComparison.OrdinalIgnoreCase))["Content-Type: ".Length..],
            parts[2][..^1]);
    }
}
