using System.Text.RegularExpressions;

namespace EdgeMesh.Tests.Lab.Proxy.Conformance;

/// <summary>docs/conformance/proxy.md says neither more nor less than the tests show.</summary>
public partial class ConformanceDocumentTests
{
    private static readonly string[] Rows = [.. File.ReadAllLines(FindDocument()).Where(line => Row().IsMatch(line))];

    [Fact]
    public void EveryCaseThatIsNamedExists()
    {
        HashSet<string> known = [.. TopologyCase.All.Select(c => c.Id)];
        foreach (string name in Rows.SelectMany(Named))
        {
            string[] parts = name.Split('.');
            bool exists = parts.Length == 1 ? known.Contains(name) : typeof(ConformanceDocumentTests).Assembly.GetTypes()
                .Any(t => t.Name == parts[0] && t.GetMethod(parts[1])?.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0);
            Assert.True(exists, $"{name} is no case and no test");
        }
    }

    [Fact]
    public void EveryCaseIsNamed() => Assert.Empty(TopologyCase.All.Select(c => c.Id).Except(Rows.SelectMany(Named)));

    /// <summary>Each row of <see cref="TopologyCase"/> runs by TCP and by UDP.</summary>
    [Fact]
    public void AtLeastNinetyCasesHaveRealTraffic()
    {
        int others = Rows.SelectMany(Named).Where(name => name.Contains('.', StringComparison.Ordinal)).Distinct().Count();
        Assert.InRange((2 * TopologyCase.All.Count) + others, 90, int.MaxValue);
    }

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

    private static string FindDocument()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "EdgeMesh.slnx")))
        {
            root = root.Parent;
        }

        return Path.Combine(root?.FullName ?? "", "docs", "conformance", "proxy.md");
    }

    [GeneratedRegex(@"^\|.*\| (passed|not applicable) \|")]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
