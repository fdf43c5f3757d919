using System.Globalization;
using System.Net;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>A default route of the kernel's main table.</summary>
/// <param name="Device">Through which it leads.</param>
/// <param name="Gateway">The router, of the route's family; 0.0.0.0 or :: on a link without one.</param>
/// <param name="Metric">The smaller one is taken.</param>
internal sealed record DefaultRoute(string Device, IPAddress Gateway, int Metric)
{
    private const string Table = "/proc/net/route";
    private const string TableV6 = "/proc/net/ipv6_route";

    /// <summary>IPv4 first, of each family the best first; none where a table cannot be read.</summary>
    public static IReadOnlyList<DefaultRoute> ReadAll() => [.. Read(Table, Parse), .. Read(TableV6, ParseV6)];

    private static IReadOnlyList<DefaultRoute> Read(string table, Func<IEnumerable<string>, IReadOnlyList<DefaultRoute>> parse)
    {
        try
        {
            return parse(File.ReadLines(table));
        }
        catch (IOException)
        {
            // IPv6 may be switched off.
            return [];
        }
    }

    /// <param name="table">Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses are hexadecimal in the machine's byte order.</param>
    internal static IReadOnlyList<DefaultRoute> Parse(IEnumerable<string> table)
    {
        List<DefaultRoute> routes = [];
        foreach (string line in table.Skip(1))
        {
            string[] fields = line.Split('\t');
            if (fields.Length > 7 && fields[1] == "00000000" && fields[7] == "00000000"
                && uint.TryParse(fields[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint gateway)
                && int.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out int metric))
            {
                routes.Add(new DefaultRoute(fields[0], new IPAddress(BitConverter.GetBytes(gateway)), metric));
            }
        }

        // A stable sort: of equal metrics the kernel takes the first.
        return [.. routes.OrderBy(route => route.Metric)];
    }

    /// <param name="table">Destination, its length, source, its length, gateway, metric, … device: hexadecimal, addresses in network order.</param>
    internal static IReadOnlyList<DefaultRoute> ParseV6(IEnumerable<string> table)
    {
        const uint isUp = 1; // RTF_UP; a node without a default route has a rejecting one on lo, without it
        List<DefaultRoute> routes = [];
        foreach (string line in table)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [_, "00", _, "00", { Length: 32 } gateway, { } metric, _, _, { } flags, not "lo" and { } device]
                && fields[0].All(digit => digit == '0')
                && uint.TryParse(metric, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
                && uint.TryParse(flags, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint set) && (set & isUp) != 0
                && gateway.All(char.IsAsciiHexDigit))
            {
                routes.Add(new DefaultRoute(device, new IPAddress(Convert.FromHexString(gateway)), (int)Math.Min(value, int.MaxValue)));
            }
        }

        return [.. routes.OrderBy(route => route.Metric)];
    }
}
