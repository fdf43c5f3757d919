using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Host;

/// <summary>
/// The bridge with the mesh address, and the routes of the clusterIPs to it. A bridge without ports: it needs no other
/// module, never sends, and holds an address and routes even without carrier.
/// </summary>
internal sealed class MeshDevice(ProxyOptions options)
{
    private readonly HashSet<string> routes = [];

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
    }

    /// <summary>True while device and address are there.</summary>
    public bool IsPresent() => NetworkInterface.GetAllNetworkInterfaces().Any(i =>
        i.Name == options.DeviceName && i.GetIPProperties().UnicastAddresses.Any(a => a.Address.Equals(options.MeshAddress)));

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
        foreach (string route in routes)
        {
            if (!wanted.Contains(route))
            {
                batch.Append($"route del {route} dev {options.DeviceName}\n");
            }
        }

        foreach (string route in wanted)
        {
            if (!routes.Contains(route))
            {
                batch.Append($"route replace {route} dev {options.DeviceName} scope link src {options.MeshAddress}\n");
            }
        }

        if (batch.Length == 0)
        {
            return null;
        }

        CommandResult result = await Command.RunAsync("ip", ["-force", "-batch", "-"], batch.ToString(), stop).ConfigureAwait(false);
        routes.Clear();
        routes.UnionWith(wanted);
        return result.Succeeded ? null : result.FirstError;
    }

    /// <summary>Removes the device and with it address and routes.</summary>
    /// <returns>True if there was one.</returns>
    public async Task<bool> RemoveAsync(CancellationToken stop)
    {
        routes.Clear();
        CommandResult result = await Command.RunAsync("ip", ["link", "del", options.DeviceName], null, stop).ConfigureAwait(false);
        return result.Succeeded;
    }
}
