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

    private static async Task<PairOutcome> TryAsync(string a, string b)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(90));
        PairOutcome outcome = new(Site.All.Single(site => site.Name == a), Site.All.Single(site => site.Name == b));
        await using PairLab lab = await PairLab.CreateAsync(outcome.A, outcome.B, ParkFixture.Binary, limit.Token);
        await lab.TryAsync(outcome, limit.Token);
        return outcome;
    }
}
