using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>
/// A site whose router lets nothing out but an HTTP proxy (tinyproxy, with a login, for port 443 alone): not even a name resolves
/// there. The other site asks for a Service on its node.
/// </summary>
public sealed class HttpProxyTests
{
    private const string Server = "mesh.example.org";
    private const string Password = "s3cret-pass";
    private const string ProxyAddress = "10.0.2.9:3128";

    private static readonly Site Office = new("only an HTTP proxy", NatKind.OnlyProxy);

    [Fact]
    public async Task ServesAServiceFromBehindAProxy()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        await using PairLab pair = await CreateAsync($"http://edge:{Password}@{ProxyAddress}", stop);
        await pair.RestartAsync(stop);

        CommandResult answer = new(1, "", "");
        await ParkMesh.UntilAsync("the Service behind the proxy answers", async () => (answer = await pair.RequestAsync(stop)).Succeeded, stop);
        Assert.Equal("ok\n", answer.Output);
        using JsonDocument status = await pair.AskAsync(pair.Second.Node.Host, "edge2", stop, "status");
        JsonElement server = status.RootElement.GetProperty("servers")[0];
        Assert.Equal(
            (true, "tls", Server + ":443", ProxyAddress),
            (server.GetProperty("connected").GetBoolean(), server.GetProperty("leg").GetString(), server.GetProperty("address").GetString(), server.GetProperty("proxy").GetString()));

        using JsonDocument check = await pair.AskAsync(pair.Second.Node.Host, "edge2", stop, "netcheck");
        JsonElement[] tried = [.. check.RootElement.GetProperty("servers")[0].GetProperty("tcp").EnumerateArray()];
        Assert.Equal(2, tried.Length);
        Assert.All(tried, port => Assert.Equal(ProxyAddress, port.GetProperty("proxy").GetString()));
        Assert.StartsWith("403: ", tried[0].GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, tried[1].GetProperty("problem").ValueKind);

        string log = pair.Agents["edge2"].Log();
        Assert.Contains($"through proxy {ProxyAddress}", log, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, log + status.RootElement + check.RootElement, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AProxyThatRefusesIsNamedWithTheRemedy()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        await using PairLab pair = await CreateAsync($"http://edge:wrong-{Password}@{ProxyAddress}", stop);
        LabProcess agent = pair.StartAgent(pair.Second);
        await agent.ExitAsync(stop);
        Assert.Equal(3, agent.ExitCode);
        await ParkMesh.UntilAsync("the fault is logged", () => Task.FromResult(agent.Log().Contains("no server could be reached", StringComparison.Ordinal)), stop);
        Assert.Contains($"{Server}:443 through proxy {ProxyAddress} (401: the proxy refuses the name and password", agent.Log(), StringComparison.Ordinal);
        Assert.Contains("HTTPS_PROXY", agent.Log(), StringComparison.Ordinal);
        Assert.DoesNotContain(Password, agent.Log(), StringComparison.Ordinal);
    }

    private static async Task<PairLab> CreateAsync(string url, CancellationToken stop) => await PairLab.CreateAsync(
        Site.All.Single(site => site.Name == "public"),
        Office,
        ParkFixture.Binary,
        stop,
        new PairOptions
        {
            Server = Server,
            AgentEnvironment = new Dictionary<string, IReadOnlyDictionary<string, string>>
            {
                ["edge2"] = new Dictionary<string, string> { ["HTTPS_PROXY"] = url },
            },
            Prepare = async (pair, ends) =>
            {
                await HttpProxyHost.StartAsync(pair.Lab, pair.Second.Routers[0], "10.0.2", $"edge {Password}", $"{PairLab.ServerAddress} {Server}", ends);
                await pair.First.Node.Host.NameAsync($"{PairLab.ServerAddress} {Server}", ends);
            },
        });
}
