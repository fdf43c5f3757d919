using System.Buffers.Binary;
using EdgeMesh.Quic.Native;

namespace EdgeMesh.Quic;

/// <summary>struct sockaddr_in and sockaddr_in6, written and read in place.</summary>
internal static unsafe class SocketAddress
{
    public const int MaxLength = 28;

    public static uint Write(byte* destination, in UdpAddress address)
    {
        Span<byte> bytes = new(destination, MaxLength);
        bytes.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], address.Port);
        if (address.AddressLength == 4)
        {
            *(ushort*)destination = Libc.AfInet;
            address.CopyAddress(bytes[4..]);
            return 16;
        }

        *(ushort*)destination = Libc.AfInet6;
        address.CopyAddress(bytes[8..]);
        return MaxLength;
    }

    public static UdpAddress Read(byte* source)
    {
        ReadOnlySpan<byte> bytes = new(source, MaxLength);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return *(ushort*)source == Libc.AfInet
            ? UdpAddress.FromBytes(bytes.Slice(4, 4), port)
            : UdpAddress.FromBytes(bytes.Slice(8, 16), port);
    }
}
