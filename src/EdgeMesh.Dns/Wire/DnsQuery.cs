using System.Buffers.Binary;

namespace EdgeMesh.Dns;

/// <summary>
/// A parsed query: one question, perhaps an OPT record (RFC 6891). Refers to the caller's buffers.
/// <code>
/// 0  id | flags | QDCOUNT ANCOUNT NSCOUNT ARCOUNT
/// 12 name | type | class         the question, kept as it came: its case returns in the answer (0x20)
/// </code>
/// </summary>
internal readonly ref struct DnsQuery
{
    public const int HeaderLength = 12;

    /// <summary>Scratch a caller of <see cref="TryRead"/> must lend.</summary>
    public const int ScratchLength = WireName.MaxLength + WireName.MaxLabels;

    private const ushort DnssecOk = 0x8000;

    private DnsQuery(
        ushort id, ushort flags, ReadOnlySpan<byte> question, NameView name, ushort type, ushort @class)
    {
        Id = id;
        Flags = flags;
        Question = question;
        Name = name;
        Type = type;
        Class = @class;
        UdpSize = 512;
    }

    public ushort Id { get; init; }

    public ushort Flags { get; init; }

    /// <summary>Name, type and class as they came; empty if they could not be read.</summary>
    public ReadOnlySpan<byte> Question { get; }

    public NameView Name { get; }

    public ushort Type { get; }

    public ushort Class { get; }

    public bool HasEdns { get; private init; }

    public bool WantsDnssec { get; private init; }

    /// <summary>Largest answer the client takes over UDP; at least 512.</summary>
    public int UdpSize { get; private init; }

    public bool WantsAuthenticData => WantsDnssec || (Flags & DnsFlags.AuthenticData) != 0;

    public bool CheckingDisabled => (Flags & DnsFlags.CheckingDisabled) != 0;

    public static QueryFault TryRead(ReadOnlySpan<byte> message, Span<byte> scratch, out DnsQuery query)
    {
        query = default;
        if (message.Length < HeaderLength)
        {
            return QueryFault.Silence;
        }

        ushort id = BinaryPrimitives.ReadUInt16BigEndian(message);
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if ((flags & DnsFlags.Response) != 0)
        {
            return QueryFault.Silence;
        }

        query = new DnsQuery(id, flags, default, default, 0, 0);
        if ((flags & DnsFlags.OpcodeMask) != 0)
        {
            return QueryFault.NotImplemented;
        }

        ulong counts = BinaryPrimitives.ReadUInt64BigEndian(message[4..]);
        if (counts >> 16 != 0x1_0000_0000)
        {
            return QueryFault.Format;
        }

        int position = HeaderLength;
        if (!TryReadQuestion(message, ref position, scratch, out NameView name))
        {
            return QueryFault.Format;
        }

        query = new DnsQuery(
            id,
            flags,
            message[HeaderLength..position],
            name,
            BinaryPrimitives.ReadUInt16BigEndian(message[(position - 4)..]),
            BinaryPrimitives.ReadUInt16BigEndian(message[(position - 2)..]));
        return ReadAdditional(message, position, (ushort)counts, ref query);
    }

    private static bool TryReadQuestion(ReadOnlySpan<byte> message, scoped ref int position, Span<byte> scratch, out NameView name)
    {
        name = default;

        // There is nothing in front of the question that a pointer could mean.
        int length = 0;
        while (true)
        {
            int at = HeaderLength + length;
            if (at >= message.Length)
            {
                return false;
            }

            int label = message[at];
            if (label > WireName.MaxLabel || length + label + 1 > WireName.MaxLength || at + 1 + label > message.Length)
            {
                return false;
            }

            length += label + 1;
            if (label == 0)
            {
                break;
            }
        }

        position += length + 4;
        if (position > message.Length)
        {
            return false;
        }

        Span<byte> wire = scratch[..length];
        message.Slice(HeaderLength, length).CopyTo(wire);
        name = NameView.Cut(wire, scratch.Slice(WireName.MaxLength, WireName.MaxLabels));
        return true;
    }

    private static QueryFault ReadAdditional(ReadOnlySpan<byte> message, int position, int count, ref DnsQuery query)
    {
        for (; count > 0; count--)
        {
            int start = position;
            if (!WireName.TrySkip(message, ref position) || position + 10 > message.Length)
            {
                return QueryFault.Format;
            }

            ReadOnlySpan<byte> head = message.Slice(position, 10);
            position += 10 + BinaryPrimitives.ReadUInt16BigEndian(head[8..]);
            if (position > message.Length)
            {
                return QueryFault.Format;
            }

            if (BinaryPrimitives.ReadUInt16BigEndian(head) != DnsType.Opt)
            {
                continue;
            }

            if (query.HasEdns || message[start] != 0)
            {
                return QueryFault.Format;
            }

            ushort size = BinaryPrimitives.ReadUInt16BigEndian(head[2..]);
            byte version = head[5];
            query = new DnsQuery(query.Id, query.Flags, query.Question, query.Name, query.Type, query.Class)
            {
                HasEdns = true,
                UdpSize = Math.Max((int)size, 512),
                WantsDnssec = (BinaryPrimitives.ReadUInt16BigEndian(head[6..]) & DnssecOk) != 0,
            };
            if (version != 0)
            {
                return QueryFault.BadVersion;
            }
        }

        return QueryFault.None;
    }
}
