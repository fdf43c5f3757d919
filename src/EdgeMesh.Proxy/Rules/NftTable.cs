using System.Globalization;
using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Rules;

/// <summary>
/// Our table in the kernel: writes transactions through the nft command and knows which notifications they cause. One
/// caller at a time, <see cref="OwnCommit"/> from any thread.
/// </summary>
internal sealed class NftTable(RuleFamily family)
{
    private int ownCommits;
    private string shape = "";

    /// <returns>Null if it was committed, else the reason; then nothing of it was.</returns>
    public async Task<string?> ApplyAsync(string transaction, bool isFull, CancellationToken stop)
    {
        Interlocked.Increment(ref ownCommits);
        CommandResult result = await Command.RunAsync("nft", ["-f", "-"], transaction, stop).ConfigureAwait(false);
        if (!result.Succeeded)
        {
            OwnCommit();
            ProxyMetrics.RuleFailures.Add(1);
            return result.FirstError;
        }

        ProxyMetrics.Transactions.Add(1, new KeyValuePair<string, object?>("kind", isFull ? "full" : "difference"));
        if (isFull)
        {
            shape = await ShapeAsync(stop).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>A commit that touched the table was announced.</summary>
    /// <returns>True if it was one of ours. Commits are told apart by number, not by process id: that is another one in a pod.</returns>
    public bool OwnCommit()
    {
        while (true)
        {
            int count = Volatile.Read(ref ownCommits);
            if (count == 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref ownCommits, count - 1, count) == count)
            {
                return true;
            }
        }
    }

    /// <summary>Looks whether chains, maps and sets (not their elements) are as they were written; forgets announcements that were lost.</summary>
    public async Task<bool> IsIntactAsync(CancellationToken stop)
    {
        Volatile.Write(ref ownCommits, 0);
        return shape.Length > 0 && shape == await ShapeAsync(stop).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes no new connections, but leaves the chains on their hooks: with the last nat chain of a namespace the kernel stops
    /// translating the connections that exist too.
    /// </summary>
    public static Task CloseAsync(string family, CancellationToken stop) => Command.RunAsync(
        "nft", ["-f", "-"], $"flush chain {family} {RuleText.TableName} prerouting\nflush chain {family} {RuleText.TableName} output\n", stop);

    /// <summary>The UDP Service ports that the kernel's table has, whoever wrote it.</summary>
    public static async Task<HashSet<PortKey>> ReadUdpPortsAsync(RuleFamily family, CancellationToken stop)
    {
        CommandResult map = await Command.RunAsync(
            "nft", ["list", "map", family.Table, RuleText.TableName, "services"], null, stop).ConfigureAwait(false);
        return map.Succeeded ? ParseUdpPorts(map.Output) : [];
    }

    /// <param name="map">Elements as nft lists them: <c>10.96.0.10 . udp . 53 : goto n1</c>, parted by commas and lines.</param>
    internal static HashSet<PortKey> ParseUdpPorts(string map)
    {
        HashSet<PortKey> found = [];
        foreach (string element in map.Split([',', '{', '}', '\n']))
        {
            if (element.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [var address, ".", "udp", ".", var port, ":", ..]
                && IPAddress.TryParse(address, out IPAddress? ip) && ushort.TryParse(port, CultureInfo.InvariantCulture, out ushort number))
            {
                found.Add(new PortKey(ip, TransportProtocol.Udp, number));
            }
        }

        return found;
    }

    /// <returns>True if there was one.</returns>
    public static async Task<bool> DeleteAsync(string family, CancellationToken stop)
    {
        CommandResult result = await Command.RunAsync("nft", ["delete", "table", family, RuleText.TableName], null, stop).ConfigureAwait(false);
        return result.Succeeded;
    }

    private async Task<string> ShapeAsync(CancellationToken stop)
    {
        CommandResult result = await Command.RunAsync(
            "nft", ["-t", "list", "table", family.Table, RuleText.TableName], null, stop).ConfigureAwait(false);
        return result.Succeeded ? result.Output : "";
    }
}
