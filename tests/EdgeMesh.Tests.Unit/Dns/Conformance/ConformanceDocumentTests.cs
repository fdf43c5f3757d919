using System.Text.RegularExpressions;

namespace EdgeMesh.Tests.Unit.Dns.Conformance;

/// <summary>docs/conformance/dns.md says neither more nor less than the tests show.</summary>
public partial class ConformanceDocumentTests
{
    private static readonly string Root = FindRoot();
    private static readonly string[] Rows = [.. File.ReadAllLines(Path.Combine(Root, "docs", "conformance", "dns.md")).Where(line => Row().IsMatch(line))];

    [Fact]
    public void EveryCaseThatIsNamedExists()
    {
        HashSet<string> known = [.. ResolutionCase.All.Select(c => c.Id)];
        string[] files = Directory.GetFiles(Path.Combine(Root, "tests"), "*Tests.cs", SearchOption.AllDirectories);
        foreach (string name in Rows.SelectMany(Named))
        {
            string[] parts = name.Split('.');
            bool exists = parts.Length == 1 ? known.Contains(name) : files.Where(f => Path.GetFileName(f) == parts[0] + ".cs")
                .Any(f => File.ReadAllText(f).Contains($" {parts[1]}(", StringComparison.Ordinal));
            Assert.True(exists, $"{name} is no case and no test");
        }
    }

    [Fact]
    public void EveryCaseIsNamed() => Assert.Empty(ResolutionCase.All.Select(c => c.Id).Except(Rows.SelectMany(Named)));

    [Fact]
    public void NoTwoCasesShareAnId() => Assert.Equal(ResolutionCase.All.Length, ResolutionCase.All.Select(c => c.Id).Distinct().Count());

    [Fact]
    public void WhatPassedIsShownAndWhatDoesNotApplyHasAReason() => Assert.All(Rows, row =>
    {
        string[] cells = row.Split('|', StringSplitOptions.TrimEntries);
        Assert.True(cells[2] == "passed" ? Named(row).Length > 0 : cells[2] == "not applicable" && cells[3].Length > 20, row);
    });

    private static string[] Named(string row)
    {
        string[] cells = row.Split('|', StringSplitOptions.TrimEntries);
        return cells[2] == "passed" ? [.. Code().Matches(cells[3]).Select(m => m.Groups[1].Value)] : [];
    }

    private static string FindRoot()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "EdgeMesh.slnx")))
        {
            root = root.Parent;
        }

        return root?.FullName ?? "";
    }

    [GeneratedRegex(@"^\|.*\| (passed|not applicable) \|")]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
