using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>
/// Addresses of this node at which a peer might reach it, and the subnets that make a peer a LAN neighbour. Left out are
/// loopback, link-local (169.254/16, fe80::/10), our own device and the bridges of containers: 172.17.0.1 is the same on every
/// node and leads every peer to itself. A bridge that carries the default route is an uplink and stays.
/// </summary>
/// <param name="Addresses">In the system's order, IPv4 first.</param>
/// <param name="Subnets">Their networks.</param>
/// <param name="Uplinks">The default routes, IPv4 first and of each family the best first: what leaves the node takes another way when they change.</param>
internal sealed record LocalAddresses(IReadOnlyList<IPAddress> Addresses, IReadOnlyList<IPNetwork> Subnets, IReadOnlyList<DefaultRoute> Uplinks)
{
    private static readonly string[] ContainerPrefixes =
        ["edgemesh", "docker", "cni", "cbr", "veth", "cali", "flannel", "cilium", "lxc", "kube", "podman", "nodelocaldns"];

    public static readonly LocalAddresses None = new([], [], []);

    public static LocalAddresses Scan()
    {
        IReadOnlyList<DefaultRoute> uplinks = DefaultRoute.ReadAll();
        List<IPAddress> addresses = [];
        List<IPNetwork> subnets = [];
        foreach (NetworkInterface device in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (device.OperationalStatus == OperationalStatus.Down || device.NetworkInterfaceType == NetworkInterfaceType.Loopback
                || IsContainers(device.Name, uplinks))
            {
                continue;
            }

            foreach (UnicastIPAddressInformation own in device.GetIPProperties().UnicastAddresses)
            {
                if (IsUsable(own.Address))
                {
                    addresses.Add(own.Address);
                    subnets.Add(NetworkOf(own.Address, own.PrefixLength));
                }
            }
        }

        return new LocalAddresses([.. addresses.OrderBy(a => a.AddressFamily)], subnets, uplinks);
    }

    public IEnumerable<Candidate> ToCandidates(ushort port, bool withV6) =>
        Addresses.Where(a => withV6 || a.AddressFamily == AddressFamily.InterNetwork)
            .Select(a => new Candidate(CandidateKind.Interface, WireAddress.From(a, port)));

    public bool SameAs(LocalAddresses other) =>
        Addresses.SequenceEqual(other.Addresses) && Subnets.SequenceEqual(other.Subnets) && Uplinks.SequenceEqual(other.Uplinks);

    /// <summary>What was sent until now leaves by another way, or not at all: an address is gone, or a family's best default route is another one.</summary>
    public bool HasMovedFrom(LocalAddresses former) =>
        former.Addresses.Except(Addresses).Any()
        || HasMovedFrom(former, AddressFamily.InterNetwork) || HasMovedFrom(former, AddressFamily.InterNetworkV6);

    private bool HasMovedFrom(LocalAddresses former, AddressFamily family) => former.Best(family) is { } best && Best(family) != best;

    private DefaultRoute? Best(AddressFamily family) => Uplinks.FirstOrDefault(route => route.Gateway.AddressFamily == family);

    internal static bool IsUsable(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !IPAddress.IsLoopback(address) && address.GetAddressBytes() is not [169, 254, ..],
        AddressFamily.InterNetworkV6 => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !address.IsIPv6Multicast,
        _ => false,
    };

    internal static IPNetwork NetworkOf(IPAddress address, int prefix)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefix; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), prefix);
    }

    private static bool IsContainers(string name, IReadOnlyList<DefaultRoute> uplinks) =>
        !uplinks.Any(uplink => uplink.Device == name)
        && (ContainerPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)) || Directory.Exists($"/sys/class/net/{name}/bridge"));
}
