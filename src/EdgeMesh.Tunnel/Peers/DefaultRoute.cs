using System.Globalization;
using System.Net;

namespace EdgeMesh.Tunnel.Peers;

/// <summary>A default route of the kernel's main table; IPv4.</summary>
/// <param name="Device">Through which it leads.</param>
/// <param name="Gateway">The router; 0.0.0.0 on a link without one.</param>
/// <param name="Metric">The smaller one is taken.</param>
internal sealed record DefaultRoute(string Device, IPAddress Gateway, int Metric)
{
    private const string Table = "/proc/net/route";

    /// <summary>Best first; none if the table cannot be read.</summary>
    public static IReadOnlyList<DefaultRoute> ReadAll()
    {
        try
        {
            return Parse(File.ReadLines(Table));
        }
        catch (IOException)
        {
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
}
