using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;
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
        HashSet<PortKey> udp = ConntrackSweep.IsAvailable ? await NftTable.ReadUdpPortsAsync(RuleFamily.V4, stop).ConfigureAwait(false) : [];
        foreach (string family in new[] { "ip", "ip6" })
        {
            if (await NftTable.DeleteAsync(family, stop).ConfigureAwait(false))
            {
                removed.Add($"nftables table {family} {RuleText.TableName}");
            }
        }

        if (ConntrackSweep.IsAvailable)
        {
            // They would go on to a socket that is closed, and UDP flows to an endpoint that nobody keeps current; without the
            // entry they take the host's own way at once. TCP connections that the kernel carries live on (README, Stop).
            CommandResult entries = await Command.RunAsync(
                "conntrack", ["-D", "--reply-src", options.MeshAddress.ToString()], null, stop).ConfigureAwait(false);
            int flows = await ConntrackSweep.RunAsync((key, _) => udp.Contains(key) ? false : null, stop).ConfigureAwait(false);
            if (entries.Succeeded || flows > 0)
            {
                removed.Add($"conntrack entries of connections to {options.MeshAddress} and of UDP Services");
            }
        }

        if (await new MeshDevice(options).RemoveAsync(stop).ConfigureAwait(false))
        {
            removed.Add($"device {options.DeviceName} with its address, routes and rule");
        }

        return removed;
    }
}
