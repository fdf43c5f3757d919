using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>Two sites whose IPv4 NATs nothing gets through: what IPv6 gives them.</summary>
public class Ipv6PairTests
{
    private const string Server = "2001:db8:0:1::250";

    // Nobody is let in who was not spoken to: what home routers do for IPv6 (RFC 6092).
    private const string Firewall = """
        table ip6 firewall {
          chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iif lan0 accept; }
          chain input { type filter hook input priority 0; ct state established,related accept; iif wan0 meta l4proto udp drop; }
        }
        """;

    // NAT66, as some mobile routers and clouds do; ports are kept where they are free.
    private const string Masquerade = "table ip6 nat66 { chain postrouting { type nat hook postrouting priority 100; oif wan0 masquerade; }; }";

    [Theory]
    [InlineData("", "[2001:db8:0:12::10]:")]
    [InlineData(Masquerade, "[2001:db8:0:1::2]:")]
    public async Task StatefulFirewallsAreOpenedFromBothSides(string nat, string seenAt)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        Site symmetric = Site.All.Single(site => site.Name == "symmetric");
        PairOutcome outcome = new(symmetric, symmetric);
        await using PairLab lab = await PairLab.CreateAsync(symmetric, symmetric, ParkFixture.Binary, limit.Token, new PairOptions
        {
            ServerArguments = ["--listen", "0.0.0.0:20006", "--listen", $"[{Server}]:20006", "--advertise", $"[{Server}]"],
            PrepareNetwork = async (pair, stop) =>
            {
                await pair.Server.MustAsync(stop, "ip", "addr", "add", $"{Server}/64", "dev", "eth0", "nodad");
                await ConnectAsync(pair.First, 1, nat, stop);
                await ConnectAsync(pair.Second, 2, nat, stop);
                foreach ((BuiltSite site, int other) in ((BuiltSite, int)[])[(pair.First, 2), (pair.Second, 1)])
                {
                    await site.Routers[^1].Host.MustAsync(stop, "ip", "-6", "route", "add", $"2001:db8:0:1{other}::/64", "via", $"2001:db8:0:1::{other}");
                    await pair.Server.MustAsync(stop, "ip", "-6", "route", "add", $"2001:db8:0:1{other}::/64", "via", $"2001:db8:0:1::{other}");
                }
            },
        });
        await lab.TryAsync(outcome, limit.Token, patience: 15);
        Assert.True(outcome.Reached == 1 && outcome.Direct.Count == 1, $"answered {outcome.Reached}, direct {outcome.Direct.Count}; {outcome.Fault}\n{lab.FirstAgent.Log()}");
        using JsonDocument peers = await lab.AskFirstAsync(limit.Token, "peers");
        Assert.StartsWith(seenAt, peers.RootElement.GetProperty("peers")[0].GetProperty("remote").GetString(), StringComparison.Ordinal);
        Assert.Equal("ok\n", (await lab.RequestAsync(limit.Token)).Output);
    }

    private static async Task ConnectAsync(BuiltSite site, int number, string nat, CancellationToken stop)
    {
        Host router = site.Routers[^1].Host;
        await router.SysctlAsync("net.ipv6.conf.all.forwarding", "1", stop);
        await router.MustAsync(stop, "ip", "addr", "add", $"2001:db8:0:1::{number}/64", "dev", "wan0", "nodad");
        await router.MustAsync(stop, "ip", "addr", "add", $"2001:db8:0:1{number}::1/64", "dev", "lan0", "nodad");
        await router.NftAsync($"{Firewall}\n{nat}", stop);
        await site.Node.Host.MustAsync(stop, "ip", "addr", "add", $"2001:db8:0:1{number}::10/64", "dev", "eth0", "nodad");
        await site.Node.Host.MustAsync(stop, "ip", "-6", "route", "add", "default", "via", $"2001:db8:0:1{number}::1");
    }
}
