using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// IP address and port as a value: no allocation, comparable. An IPv4-mapped IPv6 address is kept as IPv4. The default value
/// is no address (<see cref="Family"/> 0).
/// </summary>
public readonly record struct WireAddress
{
    private readonly UInt128 bits;

    private WireAddress(UInt128 bits, byte family, ushort port)
    {
        this.bits = bits;
        Family = family;
        Port = port;
    }

    /// <summary>4, 6, or 0 for none.</summary>
    public byte Family { get; }

    public ushort Port { get; }

    /// <param name="address">4 or 16 bytes in network order.</param>
    /// <param name="port">Port in host order.</param>
    /// <exception cref="ArgumentException">The address has another length.</exception>
    public static WireAddress FromBytes(ReadOnlySpan<byte> address, ushort port)
    {
        switch (address.Length)
        {
            case 4:
                return new WireAddress(BinaryPrimitives.ReadUInt32BigEndian(address), 4, port);
            case 16:
                UInt128 bits = BinaryPrimitives.ReadUInt128BigEndian(address);
                return bits >> 32 == 0xFFFF ? new WireAddress((uint)bits, 4, port) : new WireAddress(bits, 6, port);
            default:
                throw new ArgumentException("an address has 4 or 16 bytes", nameof(address));
        }
    }

    public static WireAddress From(IPAddress address, ushort port)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int size);
        return FromBytes(bytes[..size], port);
    }

    public static WireAddress From(IPEndPoint endPoint) => From(endPoint.Address, (ushort)endPoint.Port);

    public WireAddress WithPort(ushort port) => new(bits, Family, port);

    /// <summary>Writes 4 or 16 bytes (0 for the default value) and returns how many.</summary>
    public int CopyAddress(Span<byte> target)
    {
        switch (Family)
        {
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(target, (uint)bits);
                return 4;
            case 6:
                BinaryPrimitives.WriteUInt128BigEndian(target, bits);
                return 16;
            default:
                return 0;
        }
    }

    /// <exception cref="InvalidOperationException">The value is the default one.</exception>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        int size = CopyAddress(bytes);
        return size > 0 ? new IPAddress(bytes[..size]) : throw new InvalidOperationException("no address");
    }

    public IPEndPoint ToEndPoint() => new(ToIPAddress(), Port);

    public AddressFamily AddressFamily => Family == 6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    public override string ToString() => Family == 0 ? "none" : ToEndPoint().ToString();
}
