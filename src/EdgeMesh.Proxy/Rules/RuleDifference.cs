using System.Globalization;
using System.Text.Json;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Rules;

/// <summary>
/// Compares the table as it should be with the one in the kernel. The former is loaded into a network namespace that lives as long as
/// the question, so that both are told by the same kernel in the same words.
/// </summary>
internal static class RuleDifference
{
    /// <returns><c>+ …</c> for what would be added, <c>- …</c> for what would be removed.</returns>
    public static async Task<IReadOnlyList<string>> FindAsync(RuleFamily family, string wanted, CancellationToken stop)
    {
        string list = $"nft -j list table {family.Table} {RuleText.TableName}";
        CommandResult scratch = await Command.RunAsync("unshare", ["--net", "sh", "-c", $"nft -f /dev/stdin && {list}"], wanted, stop).ConfigureAwait(false);
        if (!scratch.Succeeded)
        {
            throw new MeshException(
                MeshExit.Failed, $"the rules cannot be tried in a network namespace ({scratch.FirstError}): run the agent as root with CAP_SYS_ADMIN");
        }

        CommandResult kernel = await Command.RunAsync("nft", ["-j", "list", "table", family.Table, RuleText.TableName], null, stop).ConfigureAwait(false);
        HashSet<string> should = Parse(scratch.Output);
        HashSet<string> has = kernel.Succeeded ? Parse(kernel.Output) : [];
        return
        [
            .. has.Except(should).Order(StringComparer.Ordinal).Select(line => "- " + line),
            .. should.Except(has).Order(StringComparer.Ordinal).Select(line => "+ " + line),
        ];
    }

    /// <summary>The parts of a table (libnftables-json(5)) as lines that do not depend on order or handles.</summary>
    internal static HashSet<string> Parse(string json)
    {
        HashSet<string> lines = [];
        using JsonDocument document = JsonDocument.Parse(json);
        foreach (JsonElement item in document.RootElement.GetProperty("nftables").EnumerateArray())
        {
            JsonProperty part = item.EnumerateObject().First();
            JsonElement value = part.Value;
            switch (part.Name)
            {
                case "table":
                    lines.Add($"table {value.GetProperty("name")}");
                    break;
                case "chain":
                    lines.Add($"chain {value.GetProperty("name")} {Optional(value, "hook")} {Optional(value, "prio")} {Optional(value, "policy")}".TrimEnd());
                    break;
                case "rule":
                    lines.Add($"rule {value.GetProperty("chain")}: {string.Join(' ', value.GetProperty("expr").EnumerateArray().Select(Text))}");
                    break;
                case "set" or "map":
                    string name = value.GetProperty("name").ToString();
                    lines.Add($"{part.Name} {name}");

                    // What the kernel adds by itself is nobody's wish.
                    if (value.TryGetProperty("elem", out JsonElement elements) && !Optional(value, "flags").Contains("dynamic", StringComparison.Ordinal))
                    {
                        lines.UnionWith(elements.EnumerateArray().Select(e => $"element {name} {{ {Text(e)} }}"));
                    }

                    break;
            }
        }

        return lines;
    }

    private static string Optional(JsonElement value, string name) => value.TryGetProperty(name, out JsonElement found) ? Text(found) : "";

    // An element of a map is an array of key and value; an object has one property, which says what it is.
    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => string.Join(" : ", value.EnumerateArray().Select(Text)),
        JsonValueKind.Object when value.TryGetProperty("concat", out JsonElement parts) => string.Join(" . ", parts.EnumerateArray().Select(Text)),
        JsonValueKind.Object when value.TryGetProperty("prefix", out JsonElement prefix) =>
            string.Create(CultureInfo.InvariantCulture, $"{prefix.GetProperty("addr")}/{prefix.GetProperty("len")}"),
        JsonValueKind.Object when value.TryGetProperty("goto", out JsonElement verdict) => $"goto {verdict.GetProperty("target")}",
        JsonValueKind.Object => value.GetRawText(),
        _ => value.ToString(),
    };
}
