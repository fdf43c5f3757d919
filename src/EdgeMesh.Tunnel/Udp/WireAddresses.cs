using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Udp;

/// <summary>Between the wire's addresses and the socket's.</summary>
internal static class WireAddresses
{
    public static WireAddress From(in UdpAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.CopyAddress(bytes);
        return WireAddress.FromBytes(bytes[..address.AddressLength], address.Port);
    }

    public static UdpAddress ToUdp(this in WireAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = address.CopyAddress(bytes);
        return UdpAddress.FromBytes(bytes[..length], address.Port);
    }
}
