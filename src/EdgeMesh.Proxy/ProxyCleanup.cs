using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;
using EdgeMesh.Proxy.Rules;
using EdgeMesh.Proxy.Udp;

namespace EdgeMesh.Proxy;

/// <summary>Removes what a proxy leaves behind, its own or a killed one's: <c>agent --cleanup</c>.</summary>
public static class ProxyCleanup
{
    /// <returns>A line for each thing removed; empty if there was nothing.</returns>
    /// <exception cref="MeshException">Privilege or a command is missing.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(ProxyOptions options, CancellationToken stop)
    {
        Privilege.Require();
        List<string> removed = [];
        foreach (string family in new[] { "ip", "ip6" })
        {
            if (await NftTable.DeleteAsync(family, stop).ConfigureAwait(false))
            {
                removed.Add($"nftables table {family} {RuleText.TableName}");
            }
        }

        if (ConntrackSweep.IsAvailable)
        {
            // UDP flows would go on to a socket that is closed; without the entry they take the host's own way at once.
            CommandResult entries = await Command.RunAsync(
                "conntrack", ["-D", "-p", "udp", "--reply-src", options.MeshAddress.ToString()], null, stop).ConfigureAwait(false);
            if (entries.Succeeded)
            {
                removed.Add($"UDP conntrack entries to {options.MeshAddress}");
            }
        }

        if (await new MeshDevice(options).RemoveAsync(stop).ConfigureAwait(false))
        {
            removed.Add($"device {options.DeviceName} with its address, routes and rule");
        }

        return removed;
    }
}
