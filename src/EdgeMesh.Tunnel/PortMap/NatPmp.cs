using System.Buffers.Binary;
using System.Net;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>
/// NAT Port Mapping Protocol (RFC 6886 section 3), PCP's predecessor on the same port: one request for the public address, one for
/// the mapping.
/// </summary>
internal static class NatPmp
{
    public const int MapLength = 12;
    private const byte MapUdp = 1;
    private const byte AnswerBit = 0x80;

    /// <summary>Version 0, opcode 0.</summary>
    public static ReadOnlySpan<byte> AddressRequest => [0, 0];

    public static void WriteMap(Span<byte> to, ushort internalPort, ushort wanted, TimeSpan lifetime)
    {
        to[..MapLength].Clear();
        to[1] = MapUdp;
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], wanted);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], (uint)lifetime.TotalSeconds);
    }

    /// <returns>False if it is not the answer, or one that refuses.</returns>
    public static bool TryReadAddress(ReadOnlySpan<byte> from, out IPAddress address)
    {
        bool isGood = from.Length >= 12 && from[0] == 0 && from[1] == AnswerBit && BinaryPrimitives.ReadUInt16BigEndian(from[2..]) == 0;
        address = isGood ? new IPAddress(from.Slice(8, 4)) : IPAddress.Any;
        return isGood;
    }

    /// <returns>False if it is not the answer, or one that refuses.</returns>
    public static bool TryReadMap(ReadOnlySpan<byte> from, ushort internalPort, out ushort externalPort, out TimeSpan lifetime)
    {
        bool isGood = from.Length >= 16 && from[0] == 0 && from[1] == (AnswerBit | MapUdp) && BinaryPrimitives.ReadUInt16BigEndian(from[2..]) == 0
            && BinaryPrimitives.ReadUInt16BigEndian(from[8..]) == internalPort;
        externalPort = isGood ? BinaryPrimitives.ReadUInt16BigEndian(from[10..]) : (ushort)0;
        lifetime = isGood ? TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(from[12..])) : default;
        return isGood;
    }
}
