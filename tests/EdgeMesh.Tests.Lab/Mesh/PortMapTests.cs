using System.Text.Json;
using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>
/// A node behind a symmetric NAT whose router maps ports (<c>miniupnpd</c>), by each of the three protocols. The peer is behind a symmetric NAT
/// too: without the mapping this pair is relayed for ever.
/// </summary>
public sealed class PortMapTests
{
    [Theory]
    [InlineData("PCP", "")]
    [InlineData("NAT-PMP", "udp dport 5351 @th,64,8 2 drop")] // version 2: PCP
    [InlineData("UPnP", "udp dport 5351 drop")]
    public async Task AMappedPortMakesAHardNatDirectAndIsGivenBack(string protocol, string routerDrops)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2));
        CancellationToken stop = limit.Token;
        PairOutcome outcome = new(Find("symmetric with port mapping"), Find("symmetric"));
        await using PairLab lab = await PairLab.CreateAsync(outcome.A, outcome.B, ParkFixture.Binary, stop);
        Host router = lab.First.Routers[^1].Host;
        if (routerDrops.Length > 0)
        {
            await router.NftAsync($"table ip speaks {{ chain in {{ type filter hook input priority -200; {routerDrops}; }}\n}}", stop);
        }

        await lab.TryAsync(outcome, stop);
        Assert.True(outcome.Reached == 1 && outcome.Direct.Count == 1, $"answered {outcome.Reached}, direct {outcome.Direct.Count}; {outcome.Fault}\n{lab.FirstAgent.Log()}");
        using (JsonDocument check = await lab.AskFirstAsync(stop, "netcheck"))
        {
            Assert.Matches($@"^45\.45\.45\.11:\d+ by {protocol}$", check.RootElement.GetProperty("mappedPort").GetString());
            Assert.Equal("destination-dependent", check.RootElement.GetProperty("nat").GetString());
            Assert.DoesNotContain(check.RootElement.GetProperty("advice").EnumerateArray(), advice => advice.GetString()!.Contains("PCP", StringComparison.Ordinal));
        }

        Assert.True(await IsMappedAsync(router, stop));

        // The router restarts: it knows neither the mapping nor the connection to the server any more.
        await router.MustAsync(stop, "nft", "flush chain inet filter prerouting_miniupnpd; flush chain inet filter postrouting_miniupnpd; flush chain inet filter miniupnpd");
        Assert.False(await IsMappedAsync(router, stop));
        await lab.First.ForgetAsync(stop);
        Exception? fault = await Record.ExceptionAsync(() => ParkMesh.UntilAsync("the port is mapped again", () => IsMappedAsync(router, stop), stop));
        Assert.True(fault is null, $"{fault?.Message}\n{lab.FirstAgent.Log()}\n{lab.First.Mapper!.Log()}");

        lab.FirstAgent.Signal("TERM");
        await lab.FirstAgent.ExitAsync(stop);
        await ParkMesh.UntilAsync("the port is given back", async () => !await IsMappedAsync(router, stop), stop);
    }

    private static Site Find(string name) => Site.All.Single(site => site.Name == name);

    private static async Task<bool> IsMappedAsync(Host router, CancellationToken stop) =>
        (await router.MustAsync(stop, "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd")).Contains(":20007", StringComparison.Ordinal);
}
