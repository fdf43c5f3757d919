using System.Text;

namespace EdgeMesh.App.Ops;

/// <summary>
/// A table for people and for awk: a head line, columns as wide as their widest cell, two blanks between, never wrapped.
/// An empty cell is printed as a dash, so that columns can be counted.
/// </summary>
internal sealed class Columns(params string[] heads)
{
    private readonly List<string[]> rows = [heads];

    public void Add(params string?[] cells) => rows.Add([.. cells.Select(c => string.IsNullOrEmpty(c) ? "-" : c)]);

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        StringBuilder text = new();
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                text.Append(i == row.Length - 1 ? row[i] : row[i].PadRight(widths[i] + 2));
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
