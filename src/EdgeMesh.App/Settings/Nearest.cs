namespace EdgeMesh.App.Settings;

/// <summary>Finds the word that was probably meant: the smallest number of single-letter edits, swaps included.</summary>
internal static class Nearest
{
    /// <summary>Null when nothing is close: more than a third of the letters would have to change.</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = Math.Max(2, word.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(word, candidate);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary><c>; did you mean 'x'?</c> or nothing.</summary>
    public static string Hint(string word, IEnumerable<string> known) =>
        Of(word, known) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>Optimal string alignment distance.</summary>
    public static int Distance(string from, string to)
    {
        int[,] cost = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++)
        {
            for (int j = 0; j <= to.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                int change = char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1;
                int best = Math.Min(cost[i - 1, j - 1] + change, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    best = Math.Min(best, cost[i - 2, j - 2] + 1);
                }

                cost[i, j] = best;
            }
        }

        return cost[from.Length, to.Length];
    }
}
