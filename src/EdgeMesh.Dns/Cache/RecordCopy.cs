namespace EdgeMesh.Dns;

/// <summary>
/// Moves a record from one message to another. Names in the data of the types that may hold compressed ones (RFC 3597
/// section 4) are written anew; all other data is copied as it is.
/// </summary>
internal static class RecordCopy
{
    private const ushort Rp = 17;
    private const ushort Afsdb = 18;
    private const ushort Rt = 21;
    private const ushort Naptr = 35;
    private const ushort Kx = 36;

    /// <summary>False if the record is malformed. A record that no longer fits is left out: see <see cref="DnsWriter.EndRecord"/>.</summary>
    public static bool TryCopy(scoped ReadOnlySpan<byte> message, DnsRecord record, DnsSection section, uint ttl, ref DnsWriter writer)
    {
        Span<byte> name = stackalloc byte[WireName.MaxLength];
        int position = record.Name;
        if (!WireName.TryRead(message, ref position, name, out int length))
        {
            return false;
        }

        writer.BeginRecord(section, name[..length], record.Type, ttl, record.Class);
        bool good = TryCopyData(message, record, name, ref writer);
        writer.EndRecord();
        return good;
    }

    private static bool TryCopyData(scoped ReadOnlySpan<byte> message, DnsRecord record, scoped Span<byte> name, ref DnsWriter writer)
    {
        int position = record.Data;
        bool good = record.Type switch
        {
            DnsType.Ns or DnsType.Cname or DnsType.Ptr => Name(message, ref position, name, compress: true, ref writer),
            DnsType.Dname => Name(message, ref position, name, compress: false, ref writer),
            DnsType.Mx => Bytes(message, record, ref position, 2, ref writer) && Name(message, ref position, name, true, ref writer),
            Afsdb or Rt or Kx => Bytes(message, record, ref position, 2, ref writer) && Name(message, ref position, name, false, ref writer),
            DnsType.Srv => Bytes(message, record, ref position, 6, ref writer) && Name(message, ref position, name, false, ref writer),
            Rp => Name(message, ref position, name, false, ref writer) && Name(message, ref position, name, false, ref writer),
            DnsType.Soa => Name(message, ref position, name, true, ref writer) && Name(message, ref position, name, true, ref writer)
                && Bytes(message, record, ref position, 20, ref writer),
            Naptr => Bytes(message, record, ref position, 4, ref writer)
                && Text(message, record, ref position, ref writer) && Text(message, record, ref position, ref writer)
                && Text(message, record, ref position, ref writer) && Name(message, ref position, name, false, ref writer),
            _ => Bytes(message, record, ref position, record.DataLength, ref writer),
        };
        return good && position == record.End;
    }

    private static bool Name(scoped ReadOnlySpan<byte> message, ref int position, scoped Span<byte> name, bool compress, ref DnsWriter writer)
    {
        if (!WireName.TryRead(message, ref position, name, out int length))
        {
            return false;
        }

        writer.WriteName(name[..length], compress);
        return true;
    }

    private static bool Text(scoped ReadOnlySpan<byte> message, DnsRecord record, ref int position, ref DnsWriter writer) =>
        position < record.End && Bytes(message, record, ref position, message[position] + 1, ref writer);

    private static bool Bytes(scoped ReadOnlySpan<byte> message, DnsRecord record, ref int position, int length, ref DnsWriter writer)
    {
        if (position + length > record.End)
        {
            return false;
        }

        writer.WriteBytes(message.Slice(position, length));
        position += length;
        return true;
    }
}
