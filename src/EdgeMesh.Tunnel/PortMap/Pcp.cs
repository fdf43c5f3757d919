using System.Buffers.Binary;
using System.Net;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>
/// Port Control Protocol, the MAP opcode (RFC 6887 sections 7 and 11). A request and its answer are 60 bytes:
/// <code>
/// version 2 | R+opcode | reserved, result | lifetime u32 | client address (request) or epoch + 12 bytes (answer)
/// nonce 12 | protocol | reserved 3 | internal port | external port | external address, IPv4-mapped
/// </code>
/// </summary>
internal static class Pcp
{
    public const int Length = 60;
    public const int Port = 5351;
    private const byte Version = 2;
    private const byte MapOpcode = 1;
    private const byte AnswerBit = 0x80;
    private const byte Udp = 17;
    private const int NonceAt = 24;

    /// <param name="lifetime">Zero removes the mapping.</param>
    /// <param name="wanted">The external port to ask for; 0 for any.</param>
    public static void WriteMap(Span<byte> to, ReadOnlySpan<byte> nonce, IPAddress client, ushort internalPort, ushort wanted, TimeSpan lifetime)
    {
        to = to[..Length];
        to.Clear();
        to[0] = Version;
        to[1] = MapOpcode;
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], (uint)lifetime.TotalSeconds);
        client.MapToIPv6().TryWriteBytes(to[8..], out _);
        nonce[..12].CopyTo(to[NonceAt..]);
        to[36] = Udp;
        BinaryPrimitives.WriteUInt16BigEndian(to[40..], internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(to[42..], wanted);
        IPAddress.Any.MapToIPv6().TryWriteBytes(to[44..], out _);
    }

    /// <returns>False if it is no answer to that request.</returns>
    public static bool TryRead(ReadOnlySpan<byte> from, ReadOnlySpan<byte> nonce, ushort internalPort, out byte result, out PortMapping? mapping)
    {
        mapping = null;
        result = 0;
        if (from.Length < Length || from[0] != Version || from[1] != (AnswerBit | MapOpcode)
            || !from.Slice(NonceAt, 12).SequenceEqual(nonce[..12]) || from[36] != Udp || BinaryPrimitives.ReadUInt16BigEndian(from[40..]) != internalPort)
        {
            return false;
        }

        result = from[3];
        if (result == 0)
        {
            IPAddress address = new(from.Slice(44, 16));
            ushort port = BinaryPrimitives.ReadUInt16BigEndian(from[42..]);
            mapping = new PortMapping(
                "PCP", new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port),
                TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(from[4..])));
        }

        return true;
    }
}
