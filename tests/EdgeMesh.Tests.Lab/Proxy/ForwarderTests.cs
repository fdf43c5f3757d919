using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>What the agent's TCP arm does for connections that are slow, many, large or dead. Affinity makes local endpoints the agent's.</summary>
public sealed class ForwarderTests : IAsyncLifetime
{
    private const string Affinity = "sessionAffinity: ClientIP";
    private const string Address = "10.96.5.1";
    private const string To = Address + ":80";
    private const string Pod2At = "172.17.0.3@edge1";
    private ProxyNet net = null!;

    public async Task InitializeAsync() => net = await ProxyNet.RaiseAsync(proxyFiles: 400);

    public async Task DisposeAsync() => await net.DisposeAsync();

    [Fact]
    public async Task NearTheFileLimitNewConnectionsAreResetCountedAndLogged()
    {
        await net.ServiceWithAsync("a", Address, Affinity, Pod2At);
        await net.StartProxyAsync();

        // 400 files, a quarter in reserve; two of them a connection.
        Dictionary<string, int> held = await ProxyNet.CountAsync(net.Pod1, "hold", To, "250");

        Assert.Equal(["pod2", "reset"], held.Keys.Order());
        Assert.Equal(250, held.Values.Sum());
        Assert.InRange(held["pod2"], 20, 150);
        Assert.Contains(net.ProxyOutput, line => line.Contains("near the file limit (400)", StringComparison.Ordinal));
        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Pod1, "connect", To));
        await net.StopProxyAsync();
        string counted = string.Create(CultureInfo.InvariantCulture, $"outcomes file-limit={held["reset"]} ok={held["pod2"] + 1}");
        await ProxyNet.UntilAsync(() => Task.FromResult(net.ProxyOutput.Contains(counted)), TimeSpan.FromSeconds(2), counted);
    }

    [Fact]
    public async Task ASlowReaderHoldsItsWriterBackAndLosesNothing()
    {
        const int Bytes = 200_000_000;
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Process late = net.Start(net.Pod2, ["serve-late", "late", "8090"], _ => ready.TrySetResult());
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await net.ServiceWithAsync("a", Address, Affinity, Pod2At + ":8090");
        await net.StartProxyAsync();
        using BlockingCollection<string> said = [];

        net.Start(net.Pod1, ["push", To, $"{Bytes}"], said.Add);

        // The sockets' own buffers on the way are all there is.
        Assert.True(said.TryTake(out string? line, TimeSpan.FromSeconds(30)));
        Assert.StartsWith("blocked ", line, StringComparison.Ordinal);
        Assert.InRange(int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture), 1, 50_000_000);
        await late.StandardInput.WriteLineAsync("read");
        await late.StandardInput.FlushAsync();
        Assert.True(said.TryTake(out line, TimeSpan.FromSeconds(60)));
        Assert.Equal(["late", $"{Bytes}"], line.Split(' ').Where((_, i) => i != 1));
    }

    [Fact]
    public async Task BothSidesOfAConnectionAreProbed()
    {
        await net.ServiceWithAsync("a", Address, Affinity, Pod2At);
        await net.StartProxyAsync();
        using BlockingCollection<string> said = [];
        net.Start(net.Pod1, ["slow", To, "60000"], said.Add);
        Assert.True(said.TryTake(out _, TimeSpan.FromSeconds(20)));

        // Once what was sent is acknowledged, the keepalive is the socket's only timer.
        await ProxyNet.UntilAsync(
            async () => (await ProxyNet.OutputAsync($"ip netns exec {net.Node} ss -Htno state established")).Split('\n')
                .Count(l => l.Contains("timer:(keepalive,1min", StringComparison.Ordinal)) == 2,
            TimeSpan.FromSeconds(10), "two keepalive timers of up to two minutes");
    }

    [Fact]
    public async Task ASilentEndpointDelaysNobodyElse()
    {
        await net.ServiceWithAsync("silent", Address, Affinity, "172.17.0.99@edge1");
        await net.ServiceAsync("well", "10.96.5.2", "172.17.0.3@edge2");
        await net.StartProxyAsync();
        using BlockingCollection<string> said = [];
        using Process stuck = net.Start(net.Pod2, ["spread", To, "64"], said.Add);
        await ProxyNet.UntilAsync(
            async () => (await ProxyNet.OutputAsync($"ip netns exec {net.Node} ss -Htn state syn-sent dst 172.17.0.99")).Contains("172.17.0.99", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20), "a dial without an answer");

        Dictionary<string, int> answers = await ProxyNet.CountAsync(net.Pod1, "spread", "10.96.5.2:80", "200", "--impatient");

        Assert.Equal([new("edge2", 200)], answers);
        Assert.Empty(said);
    }

    [Fact]
    public async Task AfterASilentEndpointTheNextOneAnswersAndEverythingArrivesOnce()
    {
        await net.ServiceWithAsync("a", Address, Affinity, "172.17.0.99@edge1", "172.17.0.98@edge1", Pod2At);
        await net.StartProxyAsync();

        // The kernel gives up after some three seconds without an ARP answer, the agent's own limit is the same.
        for (int i = 0; i < 3; i++)
        {
            string answer = await ProxyNet.RunAsync(net.Pod1, "upload", To, "100000", "--patient");
            Assert.Equal(["pod2", "100000"], answer.Split(' ').Where((_, part) => part != 1));
        }
    }

    [Fact]
    public async Task WhatAClientSaidBeforeARefusalArrivesOnceElsewhere()
    {
        await net.ServiceAsync("a", Address, "172.17.0.3@edge2:9999", "172.17.0.3@edge3:9998", "172.17.0.3@edge2", "172.17.0.2@edge3");
        await net.StartProxyAsync();

        for (int i = 0; i < 20; i++)
        {
            string[] answer = (await ProxyNet.RunAsync(net.Pod1, "upload", To, "70000")).Split(' ');
            Assert.Contains(answer[0], (string[])["edge2", "edge3"]);
            Assert.Equal("70000", answer[2]);
        }
    }
}
