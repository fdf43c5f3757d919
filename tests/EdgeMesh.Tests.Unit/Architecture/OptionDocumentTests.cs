using System.CommandLine;
using System.Text.RegularExpressions;
using EdgeMesh.App.Verbs;

namespace EdgeMesh.Tests.Unit.Architecture;

/// <summary>Options and verbs in the documents against those of the program, both ways.</summary>
public partial class OptionDocumentTests
{
    private static readonly string[] Documents =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", .. Repository.Files("docs", "*.md"), .. Repository.Files("src", "README.md")];

    [Fact]
    public void EveryOptionOfTheDocumentsExists()
    {
        HashSet<string> real = [.. Verbs().SelectMany(v => v.Command.Options.Select(o => o.Name))];
        List<string> unknown = [];
        foreach (string document in Documents)
        {
            foreach (string line in File.ReadLines(Repository.PathOf(document)).Where(l => !IsAboutAnotherProgram(l)))
            {
                unknown.AddRange(Flag().Matches(line).Select(m => m.Value).Where(f => !real.Contains(f)).Select(f => $"{document}: {f}"));
            }
        }

        Assert.Empty(unknown);
    }

    [Fact]
    public void EveryOptionIsDocumented()
    {
        string text = Repository.Read("docs/operations.md");
        HashSet<string> documented = [.. Flag().Matches(text).Select(m => m.Value)];
        Assert.Empty(Verbs().SelectMany(v => v.Command.Options.Select(o => o.Name)).Distinct()
            .Where(o => o.StartsWith("--", StringComparison.Ordinal) && o != "--help").Except(documented));
    }

    [Fact]
    public void EveryVerbIsDocumented()
    {
        string text = Repository.Read("docs/operations.md");
        Assert.All(Verbs().Where(v => v.Command.Subcommands.Count == 0 || v.Command.Action is not null), v => Assert.Contains(v.Path, text, StringComparison.Ordinal));
    }

    [Fact]
    public void EveryOptionAndVerbSaysWhatItIsFor()
    {
        Assert.All(Verbs(), v => Assert.False(string.IsNullOrEmpty(v.Command.Description), v.Path));
        Assert.All(Verbs().SelectMany(v => v.Command.Options), o => Assert.False(string.IsNullOrEmpty(o.Description), o.Name));
    }

    private static IEnumerable<(string Path, Command Command)> Verbs()
    {
        Stack<(string Path, Command Command)> open = new();
        open.Push(("edgemesh", CommandLine.Build()));
        while (open.TryPop(out (string Path, Command Command) verb))
        {
            yield return verb;
            foreach (Command child in verb.Command.Subcommands)
            {
                open.Push((verb.Path + " " + child.Name, child));
            }
        }
    }

    private static bool IsAboutAnotherProgram(string line) => OtherProgram().IsMatch(line);

    [GeneratedRegex(@"(?<![\w-])--[a-z][A-Za-z.-]*[A-Za-z]")]
    private static partial Regex Flag();

    [GeneratedRegex(@"\b(dotnet|git|nft|apt-get|ip|kubectl|curl|dig|make) ")]
    private static partial Regex OtherProgram();
}
