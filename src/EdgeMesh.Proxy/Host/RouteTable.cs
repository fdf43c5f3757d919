using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Proxy.Host;

/// <summary>A route of the kernel as the planner needs it.</summary>
internal sealed record Route(IPNetwork To, string Device, int Metric, bool IsPodBridge, bool IsReject)
{
    public bool IsDefault => To.PrefixLength == 0;
}

/// <summary>The IPv4 main table (<c>/proc/net/route</c>) without the routes of the mesh device. Immutable.</summary>
internal sealed class RouteTable
{
    public static readonly RouteTable Empty = new([]);

    // Longest prefix first, then the lowest metric: the first match is the kernel's.
    private readonly ImmutableArray<Route> routes;

    public RouteTable(IEnumerable<Route> routes) =>
        this.routes = [.. routes.OrderByDescending(r => r.To.PrefixLength).ThenBy(r => r.Metric)];

    public ImmutableArray<Route> Routes => routes;

    /// <summary>Null: the kernel has no route (or a reject route).</summary>
    public Route? Find(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork)
        {
            return null;
        }

        foreach (Route route in routes)
        {
            if (route.To.Contains(address))
            {
                return route.IsReject ? null : route;
            }
        }

        return null;
    }

    public bool SameAs(RouteTable other) => routes.SequenceEqual(other.routes);

    /// <param name="text">Content of <c>/proc/net/route</c>: numbers in hexadecimal, addresses in the machine's byte order.</param>
    /// <param name="meshDevice">Its routes are ours and say nothing about what the kernel reaches.</param>
    /// <param name="isPodBridge">Bridges: what is directly on one is a local pod, what lies behind a gateway there is not.</param>
    public static RouteTable Parse(string text, string meshDevice, Func<string, bool> isPodBridge)
    {
        const int Up = 1;
        const int Gateway = 2;
        const int Reject = 0x200;
        List<Route> found = [];
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            string[] fields = line.ToString().Split('\t', StringSplitOptions.TrimEntries);
            if (fields.Length < 8
                || !uint.TryParse(fields[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint to)
                || !uint.TryParse(fields[7], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint mask)
                || !int.TryParse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int flags)
                || !int.TryParse(fields[6], NumberStyles.Integer, CultureInfo.InvariantCulture, out int metric)
                || (flags & Up) == 0 || fields[0] == meshDevice)
            {
                continue;
            }

            IPNetwork network = new(new IPAddress(BitConverter.GetBytes(to)), int.CreateChecked(uint.PopCount(mask)));
            found.Add(new Route(network, fields[0], metric, isPodBridge(fields[0]) && (flags & Gateway) == 0, (flags & Reject) != 0));
        }

        return new RouteTable(found);
    }
}
