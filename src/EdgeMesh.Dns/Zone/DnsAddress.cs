using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Dns;

/// <summary>An address as a value: no object behind it, comparable, ready to be written.</summary>
/// <param name="Bits">The IPv6 bits; an IPv4 address in the low 32.</param>
/// <param name="IsIPv6">Family.</param>
internal readonly record struct DnsAddress(UInt128 Bits, bool IsIPv6)
{
    public ushort RecordType => IsIPv6 ? DnsType.Aaaa : DnsType.A;

    public static DnsAddress From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4
            ? new DnsAddress(BinaryPrimitives.ReadUInt32BigEndian(bytes), false)
            : new DnsAddress(BinaryPrimitives.ReadUInt128BigEndian(bytes), true);
    }

    /// <summary>The address in a socket address of Linux: <c>family 2 | port 2 | IPv4 4</c> or <c>… | flow 4 | IPv6 16</c>.</summary>
    public static DnsAddress From(SocketAddress address)
    {
        ReadOnlySpan<byte> bytes = address.Buffer.Span;
        return address.Family == AddressFamily.InterNetworkV6
            ? new DnsAddress(BinaryPrimitives.ReadUInt128BigEndian(bytes[8..]), true)
            : new DnsAddress(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), false);
    }

    public void Write(ref DnsWriter writer)
    {
        if (IsIPv6)
        {
            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);
            writer.WriteBytes(bytes);
        }
        else
        {
            writer.WriteUInt32((uint)Bits);
        }
    }

    public static bool Matches(IPAddress address, ushort type) =>
        type == DnsType.Any || (address.AddressFamily == AddressFamily.InterNetworkV6 ? type == DnsType.Aaaa : type == DnsType.A);
}
