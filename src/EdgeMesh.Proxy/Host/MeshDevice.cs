using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Host;

/// <summary>
/// The bridge with the mesh address, and the routes of the clusterIPs to it. A bridge without ports: it needs no other
/// module, never sends, and holds an address and routes even without carrier. The routes are in a table of their own: five thousand
/// in the main one would be read by every program of the host that asks for the routes, this one included.
/// </summary>
internal sealed class MeshDevice(ProxyOptions options)
{
    /// <summary>Number of the routing table and preference of the rule that leads there: before <c>main</c> (32766).</summary>
    public const int Table = 20006;

    private readonly HashSet<string> routes = [];

    // What an earlier agent left, until the first routes are made.
    private readonly HashSet<string> left = [];

    /// <summary>Makes device and address unless they are there (a crashed agent leaves them, which is fine).</summary>
    public async Task EnsureAsync(CancellationToken stop)
    {
        string name = options.DeviceName;
        if (!Directory.Exists($"/sys/class/net/{name}") && !IsPresent())
        {
            CommandResult made = await Command.RunAsync("ip", ["link", "add", name, "type", "bridge"], null, stop).ConfigureAwait(false);
            if (!made.Succeeded)
            {
                throw new MeshException(
                    MeshExit.Failed, $"device {name} cannot be made ({made.FirstError}): load the kernel module bridge, or remove what has that name");
            }
        }

        // The scope keeps the address from being chosen as the source of anything but our own routes.
        string commands = $"""
            link set {name} up
            address replace {options.MeshAddress}/32 dev {name} scope link

            """;
        CommandResult result = await Command.RunAsync("ip", ["-batch", "-"], commands, stop).ConfigureAwait(false);
        if (!result.Succeeded)
        {
            throw new MeshException(
                MeshExit.Failed, $"device {name} cannot get address {options.MeshAddress} ({result.FirstError}): remove what holds it");
        }

        if (await EnsureRuleAsync(stop).ConfigureAwait(false) is string reason)
        {
            throw new MeshException(MeshExit.Failed, $"no rule can lead to routing table {Table} ({reason}): the kernel needs CONFIG_IP_MULTIPLE_TABLES");
        }
    }

    /// <summary>Makes the rule unless it is there; systemd-networkd removes it when it starts (<c>ManageForeignRoutingPolicyRules</c>).</summary>
    /// <returns>Null, or what went wrong.</returns>
    private static async Task<string?> EnsureRuleAsync(CancellationToken stop)
    {
        if (await IsRuleThereAsync(stop).ConfigureAwait(false))
        {
            return null;
        }

        CommandResult made = await Command.RunAsync("ip", ["rule", "add", "pref", $"{Table}", "lookup", $"{Table}"], null, stop).ConfigureAwait(false);
        return made.Succeeded || made.FirstError.Contains("exists", StringComparison.Ordinal) ? null : made.FirstError;
    }

    public static async Task<bool> IsRuleThereAsync(CancellationToken stop)
    {
        CommandResult found = await Command.RunAsync("ip", ["rule", "show", "pref", $"{Table}"], null, stop).ConfigureAwait(false);
        return found.Succeeded && found.Output.Contains($"lookup {Table}", StringComparison.Ordinal);
    }

    /// <summary>True while device and address are there.</summary>
    public bool IsPresent() => NetworkInterface.GetAllNetworkInterfaces().Any(i =>
        i.Name == options.DeviceName && i.GetIPProperties().UnicastAddresses.Any(a => a.Address.Equals(options.MeshAddress)));

    /// <summary>True for a route that we made and did not remove.</summary>
    public bool Holds(IPNetwork route) => routes.Contains(route.ToString());

    /// <summary>
    /// Learns which routes an earlier agent left: those of Services that went while none ran would stay and take packets that nobody serves.
    /// </summary>
    public async Task AdoptRoutesAsync(CancellationToken stop)
    {
        // Of a table that never had a route nothing is known: that is an error for ip, and no route for us.
        CommandResult found = await Command.RunAsync(
            "ip", ["-4", "route", "show", "table", $"{Table}", "dev", options.DeviceName], null, stop).ConfigureAwait(false);
        foreach (string line in found.Succeeded ? found.Output.Split('\n') : [])
        {
            string to = line.Split(' ', 2)[0];
            if (IPNetwork.TryParse(to.Contains('/', StringComparison.Ordinal) ? to : $"{to}/32", out IPNetwork network))
            {
                left.Add(network.ToString());
            }
        }
    }

    /// <summary>The device was made anew: the kernel forgot its routes.</summary>
    public void ForgetRoutes() => routes.Clear();

    /// <summary>Brings the routes to what is wanted; cost in proportion to the difference.</summary>
    /// <returns>Null, or what went wrong.</returns>
    public async Task<string?> RouteAsync(IEnumerable<IPAddress> clusterIps, CancellationToken stop)
    {
        HashSet<string> wanted = options.ServiceCidr is IPNetwork all
            ? [all.ToString()]
            : [.. clusterIps.Select(ip => $"{ip}/32")];
        StringBuilder batch = new();
        foreach (string route in routes.Union(left))
        {
            if (!wanted.Contains(route))
            {
                batch.Append($"route del {route} dev {options.DeviceName} table {Table}\n");
            }
        }

        foreach (string route in wanted)
        {
            if (!routes.Contains(route))
            {
                batch.Append($"route replace {route} dev {options.DeviceName} scope link src {options.MeshAddress} table {Table}\n");
            }
        }

        if (batch.Length == 0)
        {
            return null;
        }

        CommandResult result = await Command.RunAsync("ip", ["-force", "-batch", "-"], batch.ToString(), stop).ConfigureAwait(false);
        left.Clear();
        routes.Clear();
        routes.UnionWith(wanted);
        return result.Succeeded ? null : result.FirstError;
    }

    /// <summary>Removes the device and with it address and routes, and the rule.</summary>
    /// <returns>True if there was one.</returns>
    public async Task<bool> RemoveAsync(CancellationToken stop)
    {
        routes.Clear();
        CommandResult rule = await Command.RunAsync("ip", ["rule", "del", "pref", $"{Table}"], null, stop).ConfigureAwait(false);
        CommandResult device = await Command.RunAsync("ip", ["link", "del", options.DeviceName], null, stop).ConfigureAwait(false);
        return rule.Succeeded || device.Succeeded;
    }
}
