using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Quic;

/// <summary>IPv4 or IPv6 address and port as a value: nothing is allocated per datagram.</summary>
public readonly struct UdpAddress : IEquatable<UdpAddress>
{
    // The address in network order, IPv4 in the upper half of high. Scope ids are not kept: link-local peers are no paths.
    private readonly ulong high;
    private readonly ulong low;
    private readonly bool isV6;

    private UdpAddress(ulong high, ulong low, ushort port, bool isV6)
    {
        this.high = high;
        this.low = low;
        this.isV6 = isV6;
        Port = port;
    }

    public AddressFamily Family => isV6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    public ushort Port { get; }

    /// <summary>4 or 16.</summary>
    public int AddressLength => isV6 ? 16 : 4;

    public static bool operator ==(UdpAddress left, UdpAddress right) => left.Equals(right);

    public static bool operator !=(UdpAddress left, UdpAddress right) => !left.Equals(right);

    /// <summary>An IPv4-mapped IPv6 address becomes IPv4.</summary>
    public static UdpAddress From(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        IPAddress address = endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
        address.TryWriteBytes(bytes, out int length);
        return FromBytes(bytes[..length], (ushort)endPoint.Port);
    }

    /// <param name="address">4 or 16 bytes in network order.</param>
    /// <param name="port">Host order.</param>
    public static UdpAddress FromBytes(ReadOnlySpan<byte> address, ushort port) => address.Length switch
    {
        4 => new UdpAddress((ulong)BinaryPrimitives.ReadUInt32BigEndian(address) << 32, 0, port, false),
        16 => new UdpAddress(
            BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port, true),
        _ => throw new ArgumentException("an address has 4 or 16 bytes", nameof(address)),
    };

    public IPEndPoint ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        CopyAddress(bytes);
        return new IPEndPoint(new IPAddress(bytes[..AddressLength]), Port);
    }

    /// <summary>Writes <see cref="AddressLength"/> bytes in network order.</summary>
    public void CopyAddress(Span<byte> destination)
    {
        if (isV6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination, high);
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], low);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)(high >> 32));
        }
    }

    public bool Equals(UdpAddress other) =>
        high == other.high && low == other.low && Port == other.Port && isV6 == other.isV6;

    public override bool Equals(object? obj) => obj is UdpAddress other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(high, low, Port);

    public override string ToString() => ToEndPoint().ToString();
}
