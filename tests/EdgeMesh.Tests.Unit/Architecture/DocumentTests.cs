using System.Text.RegularExpressions;

namespace EdgeMesh.Tests.Unit.Architecture;

/// <summary>Documents are tested or they rot: what they name must exist.</summary>
public partial class DocumentTests
{
    private static readonly string[] Folders = ["src/", "lab/", "tests/", "docs/", "bench/", "deploy/", ".ci/"];

    public static TheoryData<string> Documents =>
        [.. new[] { "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md" }.Concat(Repository.Files("docs", "*.md")).Concat(RoomReadmes)];

    private static IEnumerable<string> RoomReadmes => Repository.Files("src", "README.md");

    [Theory]
    [MemberData(nameof(Documents))]
    public void NamedFilesExist(string document)
    {
        List<string> missing = [];
        string folder = Path.GetDirectoryName(document)!;
        string text = Repository.Read(document);
        foreach (Match match in InCode().Matches(text))
        {
            string name = match.Groups[1].Value.TrimEnd('/');
            if (Folders.Any(f => name.StartsWith(f, StringComparison.Ordinal)) && !IsPattern(name) && !Exists(name))
            {
                missing.Add(name);
            }
        }

        foreach (Match match in Link().Matches(text))
        {
            string target = match.Groups[1].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !Exists(Path.Combine(folder, target)))
            {
                missing.Add(target);
            }
        }

        Assert.Empty(missing);
    }

    [Fact]
    public void TheFourJourneysNameTheFilesTheyPass()
    {
        string text = Repository.Read("ARCHITECTURE.md");
        string[] journeys = [.. Regex.Split(text, "^## ", RegexOptions.Multiline).Where(s => s.StartsWith("Journey", StringComparison.Ordinal))];
        Assert.Equal(4, journeys.Length);
        Assert.All(journeys, j => Assert.True(
            InCode().Matches(j).Count(m => m.Groups[1].Value.EndsWith(".cs", StringComparison.Ordinal)) >= 3, "fewer than three files in: " + j[..40]));
    }

    [Fact]
    public void EveryRoomHasAReadmeWithTheSameDoors()
    {
        foreach (string room in Repository.Rooms)
        {
            string file = $"src/EdgeMesh.{room}/README.md";
            Assert.True(File.Exists(Repository.PathOf(file)), file + " is missing");
            Assert.Contains("tart reading", Repository.Read(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EveryDecisionIsInTheIndex()
    {
        string index = Repository.Read("docs/decisions/README.md");
        foreach (string file in Repository.Files("docs/decisions", "*.md").Select(Path.GetFileName).Where(f => f != "README.md")!)
        {
            Assert.Contains($"]({file})", index, StringComparison.Ordinal);
        }
    }

    private static bool IsPattern(string name) => name.IndexOfAny(['*', '<', '{', '…', ' ']) >= 0;

    private static bool Exists(string relative)
    {
        string path = Repository.PathOf(relative);
        return File.Exists(path) || Directory.Exists(path);
    }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InCode();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
