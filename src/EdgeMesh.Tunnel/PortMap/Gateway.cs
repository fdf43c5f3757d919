using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>The router of the default route and our address towards it; IPv4, where NAT is.</summary>
internal sealed record Gateway(IPAddress Address, IPAddress Own)
{
    /// <summary>Null without a default route.</summary>
    public static Gateway? Find()
    {
        try
        {
            return Parse(File.ReadLines("/proc/net/route")) is var (device, address) && OwnOf(device) is { } own ? new Gateway(address, own) : null;
        }
        catch (Exception fault) when (fault is IOException or NetworkInformationException)
        {
            return null;
        }
    }

    /// <summary>Device and gateway of the default route with the smallest metric, from the kernel's table.</summary>
    internal static (string Device, IPAddress Address)? Parse(IEnumerable<string> table)
    {
        (string Device, IPAddress Address)? best = null;
        int bestMetric = int.MaxValue;
        foreach (string line in table.Skip(1))
        {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses are hexadecimal in the machine's byte order.
            string[] fields = line.Split('\t');
            if (fields.Length > 7 && fields[1] == "00000000" && fields[7] == "00000000" && fields[2] != "00000000"
                && uint.TryParse(fields[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint address)
                && int.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out int metric) && metric < bestMetric)
            {
                best = (fields[0], new IPAddress(BitConverter.GetBytes(address)));
                bestMetric = metric;
            }
        }

        return best;
    }

    private static IPAddress? OwnOf(string device) => NetworkInterface.GetAllNetworkInterfaces()
        .Where(own => own.Name == device)
        .SelectMany(own => own.GetIPProperties().UnicastAddresses)
        .Select(own => own.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork);
}
