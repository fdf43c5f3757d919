using EdgeMesh.Lab;

namespace EdgeMesh.Tests.Lab.Mesh;

/// <summary>A few pairs of the NAT matrix (<c>make matrix</c> plays all of them, often).</summary>
public class NatPairTests
{
    public static TheoryData<string, string> Pairs => new()
    {
        { "port-restricted, rejects", "port-restricted, drops" },
        { "carrier-grade double NAT", "port-restricted, drops" },
        { "symmetric", "address-restricted" },
        { "symmetric", "symmetric with port mapping" },
        { "symmetric", "symmetric" },
        { "UDP blocked", "public" },
        { "port-restricted, drops", "only TCP 443" },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task IsDirectWhereThatIsPossibleAndAnswersAlways(string a, string b)
    {
        PairOutcome outcome = await TryAsync(a, b);
        Assert.True(outcome.IsGood, $"answered {outcome.Reached}/{outcome.Tries}, direct {outcome.Direct.Count}; {outcome.Fault}");
    }

    /// <summary>Two thousand guesses miss 256 open ports once in 2,700 attempts.</summary>
    [Fact]
    public async Task GuessesTheWayThroughAHardNat()
    {
        PairOutcome outcome = await TryAsync("symmetric", "port-restricted, drops");
        Assert.True(outcome.Reached == 1 && outcome.Direct.Count == 1, $"answered {outcome.Reached}, direct {outcome.Direct.Count}; {outcome.Fault}");
    }

    /// <summary>A metered link: the pair that guessing would make direct stays on the relay, and no port is guessed.</summary>
    [Fact]
    public async Task GuessesNothingWhereThatIsSwitchedOff()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        PairOutcome outcome = new(Find("symmetric"), Find("port-restricted, drops"));
        await using PairLab lab = await PairLab.CreateAsync(outcome.A, outcome.B, ParkFixture.Binary, limit.Token, new PairOptions { AgentArguments = ["--tunnel.guessPorts", "false"] });
        await lab.TryAsync(outcome, limit.Token, patience: 8);
        Assert.Equal((1, 0), (outcome.Reached, outcome.Direct.Count));

        // Two hundred guesses a second would have left their marks in the router, which keeps unanswered ones for half a minute.
        string flows = await lab.First.Routers[^1].Host.MustAsync(limit.Token, "conntrack", "-L", "-p", "udp");
        Assert.InRange(flows.Split('\n').Length, 1, 40);
        Assert.DoesNotContain("guessing", lab.FirstAgent.Log(), StringComparison.Ordinal);
    }

    /// <summary>
    /// Two homes of one carrier: behind three NATs all in all, neither LAN is known to the other, and the only address that each has of the other is
    /// one of the carrier's router, which must turn the packets round.
    /// </summary>
    [Fact]
    public async Task TwoSitesOfOneCarrierMeetThroughItsHairpin()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        PairOutcome outcome = new(Find("port-restricted, drops"), Find("port-restricted, rejects"));
        await using PairLab lab = await PairLab.CreateAsync(outcome.A, outcome.B, ParkFixture.Binary, limit.Token, new PairOptions { Carrier = NatKind.FullCone });
        await lab.TryAsync(outcome, limit.Token);
        Assert.True(outcome.Reached == 1 && outcome.Direct.Count == 1, $"answered {outcome.Reached}, direct {outcome.Direct.Count}; {outcome.Fault}\n{lab.FirstAgent.Log()}");
        using System.Text.Json.JsonDocument peers = await lab.AskFirstAsync(limit.Token, "peers");
        Assert.StartsWith("45.45.45.30:", peers.RootElement.GetProperty("peers")[0].GetProperty("remote").GetString(), StringComparison.Ordinal);
    }

    private static Site Find(string name) => Site.All.Single(site => site.Name == name);

    private static async Task<PairOutcome> TryAsync(string a, string b)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        PairOutcome outcome = new(Find(a), Find(b));
        await using PairLab lab = await PairLab.CreateAsync(outcome.A, outcome.B, ParkFixture.Binary, limit.Token);
        await lab.TryAsync(outcome, limit.Token);
        return outcome;
    }
}
