using System.Net;
using EdgeMesh.Proxy.Rules;

namespace EdgeMesh.Proxy.Explain;

/// <summary>Looks in <c>nft list ruleset</c> for rules that take or drop a Service's packets in front of ours. Pure.</summary>
internal static class ForeignRules
{
    private static readonly string[] Takers = ["drop", "reject", "dnat", "redirect"];

    /// <returns>Null: none names the address.</returns>
    public static string? Find(string ruleset, IPAddress address)
    {
        string wanted = address.ToString();
        string table = "";
        string chain = "";
        foreach (string raw in ruleset.Split('\n'))
        {
            string[] words = raw.Split([' ', '\t', '{', '}', ',', ';'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["table", var family, var name])
            {
                table = $"{family} {name}";
            }
            else if (words is ["chain", var inside])
            {
                chain = inside;
            }
            else if (table != $"ip {RuleText.TableName}" && words.Contains(wanted) && words.Any(w => Takers.Contains(w)))
            {
                return $"table {table}, chain {chain}: {raw.Trim()}";
            }
        }

        return null;
    }

    /// <summary>A forward chain of another table that drops what it does not know, without an exception for translated connections.</summary>
    /// <returns>Null: there is none.</returns>
    public static string? FindForwardDrop(string ruleset) => FindClosed(
        ruleset, "forward", rules => rules.Any(AcceptsTranslated));

    /// <summary>
    /// An input chain of another table that drops or rejects what it does not know, without an exception for translated connections or
    /// for one of these interfaces.
    /// </summary>
    /// <returns>Null: there is none.</returns>
    public static string? FindInputDrop(string ruleset, IReadOnlyCollection<string> interfaces) => FindClosed(
        ruleset, "input", rules => rules.Any(r => AcceptsTranslated(r) || interfaces.Any(i => r.Contains($"\"{i}\"", StringComparison.Ordinal))));

    /// <summary>
    /// A base chain with policy drop or an unconditional drop or reject. What it jumps to is not followed: an exception anywhere in its
    /// table counts, so that nothing is blamed that may be well.
    /// </summary>
    private static string? FindClosed(string ruleset, string hook, Predicate<IReadOnlyCollection<string>> isOpened)
    {
        string table = "";
        string chain = "";
        bool isAtHook = false;
        string? closed = null;
        List<string> rules = [];
        foreach (string raw in ruleset.Split('\n').Append("table end {"))
        {
            string line = raw.Trim();
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["table", ..])
            {
                if (closed is not null && !isOpened(rules))
                {
                    return closed;
                }

                (table, closed) = (string.Join(' ', words.Skip(1).TakeWhile(w => w != "{")), null);
                rules.Clear();
            }
            else if (words is ["chain", var name, ..])
            {
                (chain, isAtHook) = (name, false);
            }
            else if (line.StartsWith($"type filter hook {hook} ", StringComparison.Ordinal))
            {
                isAtHook = true;
                closed ??= table != $"ip {RuleText.TableName}" && line.Contains("policy drop", StringComparison.Ordinal) ? $"table {table}, chain {chain} (policy drop)" : null;
            }
            else if (words.Length > 0)
            {
                rules.Add(line);
                closed ??= isAtHook && IsForAll(words) ? $"table {table}, chain {chain}: {line}" : null;
            }
        }

        return null;
    }

    // firewalld has it in both chains, docker and ufw in none.
    private static bool AcceptsTranslated(string rule) =>
        rule.Contains("dnat", StringComparison.Ordinal) && rule.Contains("accept", StringComparison.Ordinal);

    private static bool IsForAll(string[] words) => words is ["drop" or "reject", ..] or ["counter", "packets", _, "bytes", _, "drop" or "reject", ..];
}
