using System.Text.RegularExpressions;

namespace EdgeMesh.Tests.Unit.Architecture;

/// <summary>The metric tables of the rooms' READMEs against the names in their code, both ways.</summary>
public partial class MetricTableTests
{
    public static TheoryData<string> Rooms => [.. Repository.Rooms];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void EveryMetricOfTheReadmeIsInTheCode(string room) => Assert.Empty(InReadme(room).Except(InCode(room)));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void EveryMetricOfTheCodeIsInTheReadme(string room) => Assert.Empty(InCode(room).Except(InReadme(room)));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void MetricsAreNamedForTheirRoom(string room) => Assert.All(
        InCode(room), name => Assert.StartsWith($"edgemesh_{room.ToLowerInvariant()}_", name, StringComparison.Ordinal));

    private static IEnumerable<string> InReadme(string room)
    {
        string file = Repository.PathOf($"src/EdgeMesh.{room}/README.md");
        return File.Exists(file)
            ? Row().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value).Distinct()
            : [];
    }

    private static IEnumerable<string> InCode(string room) => Repository.Files($"src/EdgeMesh.{room}", "*.cs")
        .SelectMany(f => Literal().Matches(Repository.Read(f)).Select(m => m.Groups[1].Value))
        .Distinct();

    [GeneratedRegex(@"^\|\s*`(edgemesh_[a-z0-9_]+)(?:\{[^}]*\})?`", RegexOptions.Multiline)]
    private static partial Regex Row();

    // A metric's name is a whole literal.
    [GeneratedRegex("\"(edgemesh_[a-z0-9]+_[a-z0-9_]+)\"")]
    private static partial Regex Literal();
}
