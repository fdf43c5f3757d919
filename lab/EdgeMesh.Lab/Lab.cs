using System.Diagnostics;
using System.Globalization;

namespace EdgeMesh.Lab;

/// <summary>
/// A network of network namespaces that exists as long as this object. Several labs coexist, in one process or in many: all
/// names begin with the lab's id. What a crashed process left behind is removed by the next lab on the machine.
/// <code>
/// await using Lab lab = await Lab.CreateAsync(stop);
/// Switch internet = await lab.AddSwitchAsync("internet", stop);
/// Router natA = await lab.AddRouterAsync("natA", internet, "198.51.100.21/24", "10.0.1.1/24", NatKind.PortRestrictedDrop, stop);
/// Node edge1 = await lab.AddNodeAsync("edge1", natA.Lan, "10.0.1.11/24", "10.0.1.1", stop);
/// Pod video = await edge1.AddPodAsync("video", "172.17.0.2", stop);
/// </code>
/// </summary>
public sealed class Lab : IAsyncDisposable
{
    private const string Registry = "/run/edgemesh-lab";

    private readonly List<LabProcess> processes = [];
    private readonly List<string> namespaces = [];

    private Lab(string id)
    {
        Id = id;
        Directory = Path.Combine(Registry, id);
    }

    /// <summary>Begins every name of this lab.</summary>
    public string Id { get; }

    /// <summary>Scratch directory: state directories, manifests, logs. Gone with the lab.</summary>
    public string Directory { get; }

    /// <summary>Leaves everything up when the object is disposed; <c>edgemesh-lab clean</c> removes it.</summary>
    public bool Keep { get; set; }

    public static async Task<Lab> CreateAsync(CancellationToken stop)
    {
        if (Environment.UserName != "root")
        {
            throw new LabException("a lab makes network namespaces: run it as root");
        }

        await RemoveDeadAsync(stop);
        Lab lab = new($"em{Environment.ProcessId.ToString("x", CultureInfo.InvariantCulture)}{Random.Shared.Next(4096):x3}");

        // It appears with its owner in it: another lab that is just made would take it for a dead one.
        string unborn = Path.Combine(Registry, ".new", lab.Id);
        System.IO.Directory.CreateDirectory(unborn);
        await File.WriteAllTextAsync(Path.Combine(unborn, "owner"), $"{Environment.ProcessId} {StartTimeOf(Environment.ProcessId)}", stop);
        System.IO.Directory.Move(unborn, lab.Directory);
        return lab;
    }

    /// <summary>Removes labs whose process is gone, and with <paramref name="all"/> every lab.</summary>
    public static async Task<int> RemoveDeadAsync(CancellationToken stop, bool all = false)
    {
        int removed = 0;
        foreach (string directory in System.IO.Directory.Exists(Registry) ? System.IO.Directory.GetDirectories(Registry, "em*") : [])
        {
            string owner = Path.Combine(directory, "owner");
            string[] parts = File.Exists(owner) ? (await File.ReadAllTextAsync(owner, stop)).Split(' ') : [];
            bool isKept = parts is [_, "kept"];
            bool isAlive = parts.Length == 2 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out int pid) && StartTimeOf(pid) == parts[1];
            if (all || (!isAlive && !isKept))
            {
                await RemoveAsync(Path.GetFileName(directory), stop);
                removed++;
            }
        }

        return removed;
    }

    /// <summary>A switch: a bridge in a namespace of its own.</summary>
    public async Task<Switch> AddSwitchAsync(string name, CancellationToken stop)
    {
        Host host = await AddNamespaceAsync(name, stop);
        await host.IpAsync(["link add br0 type bridge", "link set br0 up"], stop);
        return new Switch(host, "br0");
    }

    /// <param name="name">Name of the host.</param>
    /// <param name="on">Where its first interface, <c>eth0</c>, is plugged in.</param>
    /// <param name="address">Address with prefix length.</param>
    /// <param name="gateway">Default route, or null for none.</param>
    /// <param name="stop">Stops.</param>
    public async Task<Host> AddHostAsync(string name, Switch on, string address, string? gateway, CancellationToken stop)
    {
        Host host = await AddNamespaceAsync(name, stop);
        await PlugAsync(host, "eth0", on, address, gateway, stop);
        return host;
    }

    /// <summary>A router with <c>wan0</c> on a switch and a LAN switch of its own behind a NAT.</summary>
    public async Task<Router> AddRouterAsync(
        string name, Switch wan, string wanAddress, string lanAddress, NatKind kind, CancellationToken stop, string? gateway = null)
    {
        Host host = await AddNamespaceAsync(name, stop);
        await PlugAsync(host, "wan0", wan, wanAddress, gateway, stop);
        await host.IpAsync(["link add lan0 type bridge", $"addr add {lanAddress} dev lan0", "link set lan0 up"], stop);
        await host.SysctlAsync("net.ipv4.ip_forward", "1", stop);
        Router router = new(host, new Switch(host, "lan0"), wanAddress.Split('/')[0]);
        await router.SetNatAsync(kind, stop);
        return router;
    }

    /// <summary>A Kubernetes node: a host with a pod bridge as docker makes it, the same 172.17.0.0/16 on every node.</summary>
    public async Task<Node> AddNodeAsync(string name, Switch on, string address, string? gateway, CancellationToken stop)
    {
        Node node = new(this, name, await AddNamespaceAsync(name, stop), address.Split('/')[0]);
        await PlugAsync(node.Host, "eth0", on, address, gateway, stop);
        await node.MakePodBridgeAsync(stop);
        return node;
    }

    /// <summary>
    /// A wire between two switches that delays, loses and limits. Offloads are off on it: packets cross it as they would
    /// cross a cable, at most 1,514 bytes each.
    /// </summary>
    public async Task<Wire> WireAsync(string name, Switch left, Switch right, Shape shape, CancellationToken stop)
    {
        Host box = await AddNamespaceAsync(name, stop);
        foreach ((string device, Switch into) in ((string, Switch)[])[("left", left), ("right", right)])
        {
            string port = into.NextPort();
            await Command.MustAsync("ip",
                ["link", "add", device, "netns", box.Namespace, "type", "veth", "peer", "name", port, "netns", into.Host.Namespace], null, stop);
            await into.Host.IpAsync([$"link set {port} master {into.Bridge}", $"link set {port} up"], stop);
            await box.IpAsync([$"link set {device} up"], stop);
            // The sending side of either end must hand over whole packets with their checksums.
            await box.MustAsync(stop, "ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off", "tx", "off");
            await into.Host.MustAsync(stop, "ethtool", "-K", port, "tso", "off", "gso", "off", "gro", "off", "tx", "off");
        }

        LabProcess process = box.Start("wire", [Path.Combine(AppContext.BaseDirectory, "edgemesh-lab"), "wire", "left", "right", shape.ToString()]);
        return new Wire(process);
    }

    public async ValueTask DisposeAsync()
    {
        if (Keep)
        {
            await File.WriteAllTextAsync(Path.Combine(Directory, "owner"), "0 kept");
            return;
        }

        foreach (LabProcess process in processes)
        {
            await process.DisposeAsync();
        }

        await RemoveAsync(Id, CancellationToken.None);
    }

    internal async Task<Host> AddNamespaceAsync(string name, CancellationToken stop)
    {
        string full = $"{Id}-{name}";
        namespaces.Add(full);
        await Command.MustAsync("ip", ["netns", "add", full], null, stop);
        Host host = new(this, name, full);
        await host.IpAsync(["link set lo up"], stop);
        return host;
    }

    /// <summary>One more interface of a host, with an address, up; with a default route if there is a gateway.</summary>
    public async Task PlugAsync(Host host, string device, Switch into, string address, string? gateway, CancellationToken stop)
    {
        string port = into.NextPort();
        await Command.MustAsync("ip",
            ["link", "add", device, "netns", host.Namespace, "type", "veth", "peer", "name", port, "netns", into.Host.Namespace], null, stop);
        await into.Host.IpAsync([$"link set {port} master {into.Bridge}", $"link set {port} up"], stop);
        List<string> own = [$"addr add {address} dev {device}", $"link set {device} up"];
        if (gateway is not null)
        {
            own.Add($"route add default via {gateway}");
        }

        await host.IpAsync(own, stop);
    }

    internal void Track(LabProcess process) => processes.Add(process);

    private static async Task RemoveAsync(string id, CancellationToken stop)
    {
        CommandResult list = await Command.RunAsync("ip", ["netns", "list"], null, stop);
        foreach (string line in list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = line.Split(' ')[0];
            if (!name.StartsWith(id + "-", StringComparison.Ordinal))
            {
                continue;
            }

            CommandResult inside = await Command.RunAsync("ip", ["netns", "pids", name], null, stop);
            foreach (string pid in inside.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Kill(int.Parse(pid, CultureInfo.InvariantCulture));
            }

            await Command.RunAsync("ip", ["netns", "delete", name], null, stop);
            if (System.IO.Directory.Exists($"/etc/netns/{name}"))
            {
                System.IO.Directory.Delete($"/etc/netns/{name}", recursive: true);
            }
        }

        string directory = Path.Combine(Registry, id);
        if (System.IO.Directory.Exists(directory))
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    // The start time tells a process from a later one with the same id (proc_pid_stat(5), field 22).
    private static string StartTimeOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return "";
        }
    }
}
