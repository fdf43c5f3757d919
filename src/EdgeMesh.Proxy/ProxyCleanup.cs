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

        if (await new MeshDevice(options).RemoveAsync(stop).ConfigureAwait(false))
        {
            removed.Add($"device {options.DeviceName} with its address, routes and rule");
        }

        // Last: a device that goes says goodbye (IGMP), which is an entry too.
        if (ConntrackSweep.IsAvailable && await ForgetFlowsAsync(options, udp, stop).ConfigureAwait(false))
        {
            removed.Add($"conntrack entries of connections to {options.MeshAddress} and of UDP Services");
        }

        return removed;
    }

    /// <summary>
    /// Connections to the agent would go on to a socket that is closed, those from the mesh address have lost it, and UDP flows would
    /// stay with an endpoint that nobody keeps current; without the entry all take the host's own way at once. Pods' TCP connections that
    /// the kernel carries live on (README, Stop).
    /// </summary>
    private static async Task<bool> ForgetFlowsAsync(ProxyOptions options, HashSet<PortKey> udp, CancellationToken stop)
    {
        bool isAny = false;
        foreach (string end in new[] { "--reply-src", "--orig-src" })
        {
            CommandResult entries = await Command.RunAsync("conntrack", ["-D", end, options.MeshAddress.ToString()], null, stop).ConfigureAwait(false);
            isAny |= entries.Succeeded;
        }

        return await ConntrackSweep.RunAsync((key, _) => udp.Contains(key) ? false : null, stop).ConfigureAwait(false) > 0 || isAny;
    }
}
