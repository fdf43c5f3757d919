using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace EdgeMesh.Proxy.Host;

/// <summary>Reads <see cref="HostFacts"/> from /proc and /sys. What vanishes meanwhile is left out.</summary>
internal static class HostReader
{
    private const string Net = "/sys/class/net";

    public static HostFacts Read(string meshDevice)
    {
        bool bridgeCall = ReadFlag("/proc/sys/net/bridge/bridge-nf-call-iptables");
        Dictionary<string, ImmutableArray<IPAddress>> addresses = Addresses();
        ImmutableArray<InterfaceFacts>.Builder found = ImmutableArray.CreateBuilder<InterfaceFacts>();
        foreach (string path in Directory.Exists(Net) ? Directory.GetDirectories(Net) : [])
        {
            string name = Path.GetFileName(path);
            bool isBridge = Directory.Exists($"{path}/bridge");
            bool seesBridged = isBridge && (bridgeCall || ReadFlag($"{path}/bridge/nf_call_iptables"));
            ImmutableArray<string> lower = [.. SafeList(path).Select(Path.GetFileName)
                .Where(f => f!.StartsWith("lower_", StringComparison.Ordinal)).Select(f => f!["lower_".Length..])];
            found.Add(new InterfaceFacts(
                name, isBridge, seesBridged, ReadText($"{path}/type") is "1" or "772", Path.Exists($"{path}/device"), lower,
                addresses.GetValueOrDefault(name, [])));
        }

        found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        ImmutableArray<InterfaceFacts> interfaces = found.ToImmutable();
        HashSet<string> bridges = [.. interfaces.Where(i => i.IsBridge).Select(i => i.Name)];
        string routes = ReadText("/proc/net/route");
        return new HostFacts(RouteTable.Parse(routes, meshDevice, bridges.Contains), interfaces);
    }

    public static bool IsForwarding => ReadFlag("/proc/sys/net/ipv4/ip_forward");

    private static Dictionary<string, ImmutableArray<IPAddress>> Addresses()
    {
        Dictionary<string, ImmutableArray<IPAddress>> found = [];
        foreach (NetworkInterface i in NetworkInterface.GetAllNetworkInterfaces())
        {
            found[i.Name] = [.. i.GetIPProperties().UnicastAddresses.Select(a => a.Address)
                .Where(a => a.AddressFamily == AddressFamily.InterNetwork)];
        }

        return found;
    }

    private static string[] SafeList(string path)
    {
        try
        {
            return Directory.GetFileSystemEntries(path);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool ReadFlag(string path) => ReadText(path) is not ("" or "0");

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
