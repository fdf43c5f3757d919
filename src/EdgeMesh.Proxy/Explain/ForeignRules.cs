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
}
