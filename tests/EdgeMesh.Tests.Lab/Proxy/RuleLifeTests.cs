using System.Collections.Concurrent;
using System.Diagnostics;

namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Rules over time: changes, foreign flushes, crashes, stops.</summary>
public sealed class RuleLifeTests : IAsyncLifetime
{
    private const string Remote = "10.96.0.12:80";

    private ProxyNet net = null!;

    public async Task InitializeAsync()
    {
        net = await ProxyNet.RaiseAsync();
        await net.ServiceAsync("remote", "10.96.0.12", "172.17.0.3@edge2");
        await net.StartProxyAsync();
    }

    public async Task DisposeAsync() => await net.DisposeAsync();

    [Theory]
    [InlineData("flush ruleset")]
    [InlineData("delete table ip edgemesh")]
    [InlineData("flush chain ip edgemesh services")]
    [InlineData("flush set ip edgemesh cluster-ips")]
    public async Task ForeignChangeIsRepairedWithinASecond(string change)
    {
        string before = await net.NftAsync("list table ip edgemesh");
        await net.NftAsync(change);

        await ProxyNet.UntilAsync(
            async () => await net.NftAsync("list table ip edgemesh") == before, TimeSpan.FromSeconds(1), $"repair after {change}");
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));
    }

    [Fact]
    public async Task OwnChangesAreNotTakenForForeignOnes()
    {
        for (int i = 0; i < 5; i++)
        {
            await net.ServiceAsync("more", "10.96.0.30", i % 2 == 0 ? "172.17.0.3@edge2" : "172.17.0.3@edge3");
        }

        Assert.DoesNotContain(net.ProxyOutput, l => l.Contains("somebody else", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DeletedDeviceComesBackWithItsRoutes()
    {
        await ProxyNet.ShAsync($"ip -n {net.Node} link del edgemesh0");

        await ProxyNet.UntilAsync(
            async () => (await ProxyNet.OutputAsync($"ip -n {net.Node} route show table 20006 dev edgemesh0")).Contains("10.96.0.12", StringComparison.Ordinal),
            TimeSpan.FromSeconds(1), "route to a clusterIP");
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Node, "connect", Remote));
    }

    [Fact]
    public async Task DeletedAddressComesBack()
    {
        await ProxyNet.ShAsync($"ip -n {net.Node} addr del 169.254.96.16/32 dev edgemesh0");

        await ProxyNet.UntilAsync(
            async () => (await ProxyNet.OutputAsync($"ip -n {net.Node} addr show dev edgemesh0; ip -n {net.Node} route get 10.96.0.12")) is string all
                && all.Contains("inet 169.254.96.16/32", StringComparison.Ordinal) && all.Contains("dev edgemesh0 table 20006 src 169.254.96.16", StringComparison.Ordinal),
            TimeSpan.FromSeconds(1), "the address and the routes with it as their source");
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Node, "connect", Remote));
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));
    }

    [Theory]
    [InlineData("rule del preference 20006")]
    [InlineData("route flush table 20006")]
    public async Task DeletedRoutesAreRepaired(string change)
    {
        await ProxyNet.ShAsync($"ip -n {net.Node} {change}");

        await ProxyNet.UntilAsync(
            async () => (await ProxyNet.OutputAsync($"ip -n {net.Node} route get 10.96.0.12")).Contains("edgemesh0", StringComparison.Ordinal),
            TimeSpan.FromSeconds(1), "route to a clusterIP");
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Node, "connect", Remote));
    }

    [Fact]
    public async Task RemovedServiceLeavesNoRuleRouteOrSocket()
    {
        await net.ServiceAsync("more", "10.96.0.30", "172.17.0.3@edge2");
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Node, "connect", "10.96.0.30:80"));

        File.Delete(Path.Combine(net.Manifests, "more.yaml"));

        await ProxyNet.UntilAsync(
            async () => !(await net.NftAsync("list table ip edgemesh")).Contains("10.96.0.30", StringComparison.Ordinal)
                && !(await ProxyNet.OutputAsync($"ip -n {net.Node} route show table all")).Contains("10.96.0.30", StringComparison.Ordinal),
            TimeSpan.FromSeconds(3), "removal");
        Assert.Equal("1", (await ProxyNet.OutputAsync($"ip netns exec {net.Node} ss -Hlun src 169.254.96.16 | wc -l")).Trim());
    }

    [Theory]
    [InlineData("172.17.0.3@edge2", "edge2", "172.17.0.3@edge3", "edge3")]
    [InlineData("172.17.0.3@edge2", "edge2", "172.17.0.3@edge1", "pod2")]
    [InlineData("172.17.0.3@edge1", "pod2", "172.17.0.3@edge3", "edge3")]
    public async Task UdpClientThatNeverPausesMovesWithItsEndpoint(string first, string firstName, string second, string secondName)
    {
        await net.ServiceAsync("moving", "10.96.0.31", first);
        using BlockingCollection<string> seen = [];
        using Process follower = net.Start(net.Pod1, ["udp-follow", "10.96.0.31:80"], seen.Add);
        Assert.True(seen.TryTake(out string? name, TimeSpan.FromSeconds(5)));
        Assert.Equal(firstName, name);

        await net.ServiceAsync("moving", "10.96.0.31", second);

        Assert.True(seen.TryTake(out name, TimeSpan.FromSeconds(2)), "the client stays with the old endpoint");
        Assert.Equal(secondName, name);
        follower.StandardInput.Close();
        await follower.WaitForExitAsync();
    }

    /// <summary>5 s is the drain: the first ends by itself, the second is cut when the time is over.</summary>
    [Theory]
    [InlineData("1500", "edge2")]
    [InlineData("60000", "reset")]
    public async Task ConnectionThroughTheAgentHasTimeToEnd(string milliseconds, string expected)
    {
        using BlockingCollection<string> said = [];
        net.Start(net.Pod1, ["slow", Remote, milliseconds], said.Add);
        Assert.True(said.TryTake(out string? line, TimeSpan.FromSeconds(5)));
        Assert.Equal("connected", line);

        // The client hears of it while the proxy drains, or when it cuts.
        await net.StopProxyAsync();

        Assert.True(said.TryTake(out line, TimeSpan.FromSeconds(3)));
        Assert.Equal(expected, line);
    }

    [Fact]
    public async Task CleanStopLeavesNothing()
    {
        await net.StopProxyAsync();

        Assert.Equal("", await net.NftAsync("list ruleset"));
        Assert.DoesNotContain("edgemesh0", await ProxyNet.OutputAsync($"ip -n {net.Node} link; ip -n {net.Node} route show table all"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KilledProxyIsRepairedByTheNextStart()
    {
        await net.KillProxyAsync();
        Assert.Equal("refused", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));

        await net.StartProxyAsync();
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));
        Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", Remote, "100"));
    }

    [Fact]
    public async Task WhileTheProxyIsKilledTheKernelsConnectionsLiveAndOthersAreRefusedAtOnce()
    {
        await net.ServiceAsync("local", "10.96.0.33", "172.17.0.3@edge1");
        using BlockingCollection<string> kernel = [];
        net.Start(net.Pod1, ["slow", "10.96.0.33:80", "30000"], kernel.Add);
        Assert.True(kernel.TryTake(out _, TimeSpan.FromSeconds(20)));
        Task<Dictionary<string, int>> load = ProxyNet.CountAsync(net.Pod1, "spread-until", Remote, $"{net.Manifests}/over", "--impatient");

        await net.KillProxyAsync();
        await net.StartProxyAsync();
        await ProxyNet.UntilAsync(
            async () => await ProxyNet.RunAsync(net.Pod1, "connect", Remote) == "edge2", TimeSpan.FromSeconds(10), "the agent's arm after the restart");
        await File.WriteAllTextAsync($"{net.Manifests}/over", "");
        Dictionary<string, int> answers = await load;

        // Nobody waits for an agent that is not there.
        Assert.Empty(answers.Keys.Except(["edge2", "refused", "reset"]));
        Assert.True(answers["edge2"] > 0 && answers["refused"] > 0);
        Assert.True(kernel.TryTake(out string? answer, TimeSpan.FromSeconds(40)));
        Assert.Equal("pod2", answer);
    }

    [Fact]
    public async Task WhatWentWhileNoProxyRanIsGoneAfterTheNextStart()
    {
        await net.ServiceAsync("more", "10.96.0.30", "172.17.0.3@edge2");
        await net.KillProxyAsync();
        File.Delete(Path.Combine(net.Manifests, "more.yaml"));
        await net.StartProxyAsync();

        await ProxyNet.UntilAsync(
            async () => (await ProxyNet.OutputAsync($"ip -n {net.Node} route show table 20006")) is string routes
                && !routes.Contains("10.96.0.30", StringComparison.Ordinal) && routes.Contains("10.96.0.12", StringComparison.Ordinal),
            TimeSpan.FromSeconds(3), "the route of a Service that went");
        Assert.DoesNotContain("10.96.0.30", await net.NftAsync("list table ip edgemesh"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CleanupAfterAKillLeavesTheHostAsItWas()
    {
        await net.StopProxyAsync();
        string before = await HostAsync();
        await net.ServiceWithAsync("local", "10.96.0.34", "type: NodePort\nnodePort: 30034", "172.17.0.3@edge1");
        await net.StartProxyAsync();
        Assert.NotEqual(before, await HostAsync());
        foreach (string to in (string[])[Remote, "10.96.0.34:80"])
        {
            Assert.Equal("same", await ProxyNet.RunAsync(net.Pod1, "udp", to, "100"));
        }

        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));
        Assert.NotEqual("", await FlowsAsync());

        await net.KillProxyAsync();
        string removed = await ProxyNet.RunAsync(net.Node, "proxy", "edge1", net.Manifests, "--cleanup");

        Assert.Contains("table ip edgemesh", removed, StringComparison.Ordinal);
        Assert.Contains("device edgemesh0", removed, StringComparison.Ordinal);
        Assert.Equal(before, await HostAsync());
        Assert.Equal("", await FlowsAsync());

        // A second time there is nothing.
        Assert.Equal("", await ProxyNet.RunAsync(net.Node, "proxy", "edge1", net.Manifests, "--cleanup"));
    }

    /// <summary>Everything of the host's network that a proxy could change; IPv6 addresses come by themselves, and late.</summary>
    private async Task<string> HostAsync() => await ProxyNet.OutputAsync($"""
        ip netns exec {net.Node} nft list ruleset
        ip -n {net.Node} -br link; ip -n {net.Node} -4 -br addr; ip -n {net.Node} rule; ip -n {net.Node} -4 route show table all
        ip netns exec {net.Node} sysctl -a 2>/dev/null | grep ^net | grep -v nf_conntrack_count
        """);

    /// <summary>Connections to the agent, and UDP flows of Services whoever served them.</summary>
    private async Task<string> FlowsAsync() => await ProxyNet.OutputAsync(
        $"ip netns exec {net.Node} conntrack -L 2>/dev/null | grep -E 'src=169.254.96.16|udp.*dst=10.96' || true");

    [Fact]
    public async Task KeptRulesServeLocalEndpointsWhileTheAgentIsAway()
    {
        await net.StopProxyAsync();
        await net.ServiceAsync("local", "10.96.0.32", "172.17.0.3@edge1");
        await net.StartProxyAsync("--keep-rules");
        await net.StopProxyAsync();

        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Pod1, "connect", "10.96.0.32:80"));
        Assert.Equal("refused", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));
        await net.StartProxyAsync();
        Assert.Equal("edge2", await ProxyNet.RunAsync(net.Pod1, "connect", Remote));
    }

    [Fact]
    public async Task ARollOutWithKeptRulesLosesNoConnectionOfTheKernelsArm()
    {
        await net.StopProxyAsync();
        await net.ServiceAsync("local", "10.96.0.32", "172.17.0.3@edge1");
        await net.StartProxyAsync("--keep-rules");
        Task<Dictionary<string, int>> load = ProxyNet.CountAsync(net.Pod1, "spread-until", "10.96.0.32:80", $"{net.Manifests}/over");

        for (int i = 0; i < 2; i++)
        {
            await net.StopProxyAsync();
            await net.StartProxyAsync("--keep-rules");
        }

        await File.WriteAllTextAsync($"{net.Manifests}/over", "");
        Assert.Equal("pod2", Assert.Single(await load).Key);
    }

    [Fact]
    public async Task MissingPrivilegeIsOneLineWithTheRemedy()
    {
        (int code, string said) = await ProxyNet.CommandAsync("ip", [
            "netns", "exec", net.Node, "setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin",
            "dotnet", ProxyNet.HostProgram, "proxy", "edge1", net.Manifests]);

        Assert.Equal(1, code);
        Assert.Contains("CAP_NET_ADMIN", Assert.Single(said.Trim().Split('\n')), StringComparison.Ordinal);
    }
}
