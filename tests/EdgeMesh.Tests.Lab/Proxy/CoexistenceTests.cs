namespace EdgeMesh.Tests.Lab.Proxy;

/// <summary>Rule sets of others on the node, before or after ours: Services are served as if they were alone.</summary>
public sealed class CoexistenceTests
{
    private const string Mixed = "10.96.0.10:80";
    private const string None = "10.96.0.11:80";
    private const string NodePort = "10.99.0.1:30080";
    private static readonly string[] All = ["edge2", "edge3", "pod2"];

    public static TheoryData<string, bool> Others
    {
        get
        {
            TheoryData<string, bool> cases = [];
            foreach (string whose in OthersRules.All.Keys)
            {
                cases.Add(whose, true);
                cases.Add(whose, false);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task ServicesAreServedBesideOthersRules(string whose, bool isFirst)
    {
        await using ProxyNet net = await ProxyNet.RaiseAsync();
        await RaiseAsync(net, OthersRules.All[whose], isFirst);

        foreach (string from in (string[])[net.Pod1, net.Node])
        {
            Assert.Equal(All, (await ProxyNet.CountAsync(from, "spread", Mixed, "60")).Keys.Order());
            Assert.Equal(All, (await ProxyNet.CountAsync(from, "udp-spread", Mixed, "60")).Keys.Order());
            Assert.Equal("refused", await ProxyNet.RunAsync(from, "connect", None));
        }

        Assert.Equal("pod2", await ProxyNet.RunAsync(net.Pod2, "connect", "10.96.0.12:80"));
        if (!OthersRules.All[whose].Contains("DOCKER-USER", StringComparison.Ordinal) && whose != "ufw")
        {
            // Docker drops what comes from outside for its bridge, ufw what comes from outside for the agent's port; see below.
            Assert.Equal(All, (await ProxyNet.CountAsync(net.Peer2, "spread", NodePort, "60")).Keys.Order());
        }

        // Nobody took our table away, and ours took nothing of theirs.
        Assert.DoesNotContain(net.ProxyOutput, line => line.Contains("somebody else", StringComparison.Ordinal));
    }

    /// <summary>Another table's drop cannot be overruled from ours; <c>edgemesh explain</c> says what opens it, and it does.</summary>
    [Theory]
    [InlineData(OthersRules.Docker, "insert rule ip filter DOCKER-USER ct status dnat accept")]
    [InlineData(OthersRules.Ufw, "insert rule ip filter ufw-before-input ct status dnat accept")]
    public async Task WhatADropOfOthersTakesIsOpenedByTheNamedRemedy(string rules, string remedy)
    {
        await using ProxyNet net = await ProxyNet.RaiseAsync();
        await RaiseAsync(net, rules, isFirst: false);
        (string client, string to, string who) = rules == OthersRules.Docker
            ? (net.Peer2, "10.99.0.1:30082", "pod2") : (net.Peer2, "10.99.0.1:30083", "edge2");
        Assert.Equal("timeout", await ProxyNet.RunAsync(client, "connect", to, "--impatient"));

        await net.NftAsync(remedy);

        Assert.Equal(who, await ProxyNet.RunAsync(client, "connect", to));
    }

    private static async Task RaiseAsync(ProxyNet net, string rules, bool isFirst)
    {
        string file = Path.Combine(net.Manifests, "foreign.nft");
        await File.WriteAllTextAsync(file, rules);
        await net.ServiceWithAsync("mixed", "10.96.0.10", "type: NodePort\nnodePort: 30080", "172.17.0.3@edge1", "172.17.0.3@edge2", "172.17.0.3@edge3");
        await net.ServiceAsync("none", "10.96.0.11");
        await net.ServiceWithAsync("local", "10.96.0.12", "type: NodePort\nnodePort: 30082", "172.17.0.3@edge1");
        await net.ServiceWithAsync("remote", "10.96.0.13", "type: NodePort\nnodePort: 30083", "172.17.0.3@edge2");
        if (isFirst)
        {
            await net.NftAsync($"-f {file}");
        }

        await net.StartProxyAsync();
        if (!isFirst)
        {
            await net.NftAsync($"-f {file}");
        }

        Assert.NotEqual("", await ProxyNet.OutputAsync($"ip netns exec {net.Node} nft list tables | grep -v edgemesh"));
    }
}
