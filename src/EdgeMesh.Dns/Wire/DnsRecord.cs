using System.Buffers.Binary;

namespace EdgeMesh.Dns;

/// <summary>Where the parts of one resource record stand in its message.</summary>
/// <param name="Name">Offset of the owner name (perhaps compressed).</param>
/// <param name="Type">Record type.</param>
/// <param name="Class">Record class.</param>
/// <param name="Ttl">Seconds; a set top bit counts as 0 (RFC 2181 section 8).</param>
/// <param name="Data">Offset of the RDATA.</param>
/// <param name="DataLength">Length of the RDATA; inside the message.</param>
internal readonly record struct DnsRecord(int Name, ushort Type, ushort Class, uint Ttl, int Data, int DataLength)
{
    public int End => Data + DataLength;

    public static bool TryRead(ReadOnlySpan<byte> message, ref int position, out DnsRecord record)
    {
        record = default;
        int start = position;
        if (!WireName.TrySkip(message, ref position) || position + 10 > message.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> head = message.Slice(position, 10);
        uint ttl = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
        record = new DnsRecord(
            start,
            BinaryPrimitives.ReadUInt16BigEndian(head),
            BinaryPrimitives.ReadUInt16BigEndian(head[2..]),
            ttl > int.MaxValue ? 0 : ttl,
            position + 10,
            BinaryPrimitives.ReadUInt16BigEndian(head[8..]));
        position = record.End;
        return position <= message.Length;
    }
}
