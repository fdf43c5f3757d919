using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EdgeMesh.Tunnel.Peers;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>The router of the default route and our address towards it; IPv4, where NAT is.</summary>
internal sealed record Gateway(IPAddress Address, IPAddress Own)
{
    /// <summary>Null without a default route.</summary>
    public static Gateway? Find()
    {
        try
        {
            return DefaultRoute.ReadAll().FirstOrDefault(route => !route.Gateway.Equals(IPAddress.Any)) is { } route && OwnOf(route.Device) is { } own
                ? new Gateway(route.Gateway, own)
                : null;
        }
        catch (NetworkInformationException)
        {
            return null;
        }
    }

    private static IPAddress? OwnOf(string device) => NetworkInterface.GetAllNetworkInterfaces()
        .Where(own => own.Name == device)
        .SelectMany(own => own.GetIPProperties().UnicastAddresses)
        .Select(own => own.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork);
}
