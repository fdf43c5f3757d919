using System.Buffers.Binary;

namespace EdgeMesh.Dns;

/// <summary>
/// Writes one answer into the caller's buffer. A record that does not fit under the limit is left out whole and sets TC,
/// and nothing is written after it; the message is well-formed at every moment.
/// </summary>
internal ref struct DnsWriter
{
    /// <summary>Room for the offsets of name suffixes that later names may point to. More names than this are written out.</summary>
    public const int SuffixRoom = 48;

    private const int OptLength = 11;

    private readonly Span<byte> buffer;
    private readonly Span<ushort> suffixes;
    private readonly bool withOpt;
    private readonly bool dnssecOk;
    private readonly int limit;
    private int suffixCount;
    private int recordSuffixCount;
    private int recordStart;
    private int dataStart;
    private DnsSection recordSection;
    private bool overflow;
    private ushort answers;
    private ushort authorities;
    private ushort additionals;

    /// <param name="buffer">Where to; at least 512 bytes.</param>
    /// <param name="limit">Largest message the client takes.</param>
    /// <param name="suffixes"><see cref="SuffixRoom"/> elements of scratch.</param>
    /// <param name="query">The question is copied from it, in its own case.</param>
    public DnsWriter(Span<byte> buffer, int limit, Span<ushort> suffixes, in DnsQuery query)
    {
        this.buffer = buffer;
        this.suffixes = suffixes;
        withOpt = query.HasEdns;
        dnssecOk = query.WantsDnssec;
        this.limit = Math.Min(limit, buffer.Length) - (withOpt ? OptLength : 0);
        BinaryPrimitives.WriteUInt16BigEndian(buffer, query.Id);
        Flags = (ushort)(DnsFlags.Response | DnsFlags.RecursionAvailable
            | (query.Flags & (DnsFlags.RecursionDesired | DnsFlags.OpcodeMask | DnsFlags.CheckingDisabled)));
        Position = DnsQuery.HeaderLength;
        query.Question.CopyTo(buffer[Position..]);
        HasQuestion = !query.Question.IsEmpty;
        if (HasQuestion)
        {
            AddSuffixes(query.Name.Wire, Position, query.Name.Wire.Length);
            Position += query.Question.Length;
        }
    }

    public int Position { get; private set; }

    public bool HasQuestion { get; }

    public ushort Flags { get; set; }

    public DnsRcode Rcode { get; set; }

    public bool IsTruncated { get; private set; }

    /// <summary>Where the TTL of the last record stands.</summary>
    public readonly int TtlOffset => dataStart - 6;

    /// <summary>Starts a record; its data follows through the Write methods, then <see cref="EndRecord"/>.</summary>
    public void BeginRecord(DnsSection section, scoped ReadOnlySpan<byte> owner, ushort type, uint ttl, ushort @class = DnsType.ClassIn)
    {
        recordSection = section;
        recordStart = Position;
        recordSuffixCount = suffixCount;
        overflow = IsTruncated;
        WriteName(owner, compress: true);
        WriteUInt16(type);
        WriteUInt16(@class);
        WriteUInt32(ttl);
        WriteUInt16(0);
        dataStart = Position;
    }

    /// <summary>True if the record fits; otherwise it is taken back and TC is set (not for additional records: they are a courtesy).</summary>
    public bool EndRecord()
    {
        if (overflow || Position - dataStart > ushort.MaxValue)
        {
            Position = recordStart;
            suffixCount = recordSuffixCount;
            IsTruncated |= recordSection != DnsSection.Additional;
            return false;
        }

        BinaryPrimitives.WriteUInt16BigEndian(buffer[(dataStart - 2)..], (ushort)(Position - dataStart));
        switch (recordSection)
        {
            case DnsSection.Answer:
                answers++;
                break;
            case DnsSection.Authority:
                authorities++;
                break;
            default:
                additionals++;
                break;
        }

        return true;
    }

    public void WriteUInt16(ushort value)
    {
        if (Reserve(2, out Span<byte> room))
        {
            BinaryPrimitives.WriteUInt16BigEndian(room, value);
        }
    }

    public void WriteUInt32(uint value)
    {
        if (Reserve(4, out Span<byte> room))
        {
            BinaryPrimitives.WriteUInt32BigEndian(room, value);
        }
    }

    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (Reserve(bytes.Length, out Span<byte> room))
        {
            bytes.CopyTo(room);
        }
    }

    /// <param name="name">An uncompressed name.</param>
    /// <param name="compress">May end in a pointer. Not in the data of SRV (RFC 2782) and types unknown to RFC 1035 (RFC 3597).</param>
    public void WriteName(scoped ReadOnlySpan<byte> name, bool compress)
    {
        int at = 0;
        int target = -1;
        while (compress && name[at] != 0)
        {
            target = FindSuffix(name[at..]);
            if (target >= 0)
            {
                break;
            }

            at += name[at] + 1;
        }

        int start = Position;
        if (target < 0)
        {
            WriteBytes(name);
            if (!overflow)
            {
                AddSuffixes(name, start, name.Length);
            }

            return;
        }

        WriteBytes(name[..at]);
        WriteUInt16((ushort)(0xc000 | target));
        if (!overflow)
        {
            AddSuffixes(name, start, at);
        }
    }

    /// <summary>
    /// Takes over a message that begins with the same question (in any case of letters): everything behind the question is
    /// copied and the caller patches TTLs through the returned span, which is the answer so far.
    /// </summary>
    public Span<byte> CopyBody(scoped ReadOnlySpan<byte> message, int end, ushort answerCount, ushort authorityCount, ushort additionalCount)
    {
        message[Position..end].CopyTo(buffer[Position..]);
        Position = end;
        (answers, authorities, additionals) = (answerCount, authorityCount, additionalCount);
        return buffer[..end];
    }

    public void Truncate() => IsTruncated = true;

    /// <summary>Largest position a record may end at.</summary>
    public readonly int Limit => limit;

    /// <summary>Writes header and OPT; returns the length of the message.</summary>
    public int Finish()
    {
        ushort flags = (ushort)((Flags & ~DnsFlags.RcodeMask) | ((byte)Rcode & DnsFlags.RcodeMask));
        if (IsTruncated)
        {
            flags |= DnsFlags.Truncated;
        }

        if (withOpt)
        {
            Span<byte> opt = buffer.Slice(Position, OptLength);
            opt.Clear();
            BinaryPrimitives.WriteUInt16BigEndian(opt[1..], DnsType.Opt);
            BinaryPrimitives.WriteUInt16BigEndian(opt[3..], DnsLimits.UdpPayload);
            opt[5] = (byte)((byte)Rcode >> 4);
            opt[7] = dnssecOk ? (byte)0x80 : (byte)0;
            Position += OptLength;
            additionals++;
        }

        BinaryPrimitives.WriteUInt16BigEndian(buffer[2..], flags);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[4..], HasQuestion ? (ushort)1 : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[6..], answers);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[8..], authorities);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[10..], additionals);
        return Position;
    }

    /// <summary>Takes all records back, as before an answer of another kind.</summary>
    public void Clear(int questionLength)
    {
        Position = DnsQuery.HeaderLength + questionLength;
        answers = authorities = additionals = 0;
        suffixCount = 0;
        IsTruncated = false;
    }

    private bool Reserve(int length, out Span<byte> room)
    {
        if (overflow || Position + length > limit)
        {
            overflow = true;
            room = default;
            return false;
        }

        room = buffer.Slice(Position, length);
        Position += length;
        return true;
    }

    private void AddSuffixes(scoped ReadOnlySpan<byte> name, int start, int length)
    {
        for (int at = 0; at < length && name[at] != 0; at += name[at] + 1)
        {
            if (suffixCount == suffixes.Length || start + at > WireName.MaxPointer)
            {
                return;
            }

            suffixes[suffixCount++] = (ushort)(start + at);
        }
    }

    private readonly int FindSuffix(scoped ReadOnlySpan<byte> name)
    {
        foreach (ushort offset in suffixes[..suffixCount])
        {
            if (IsAt(offset, name))
            {
                return offset;
            }
        }

        return -1;
    }

    // Compares with a name this writer wrote: its pointers go backwards to what this writer wrote.
    private readonly bool IsAt(int offset, scoped ReadOnlySpan<byte> name)
    {
        int at = 0;
        while (true)
        {
            int label = buffer[offset];
            if (label >= 0xc0)
            {
                offset = ((label & 0x3f) << 8) | buffer[offset + 1];
                continue;
            }

            if (label != name[at])
            {
                return false;
            }

            if (label == 0)
            {
                return true;
            }

            if (!WireName.EqualsIgnoreCase(buffer.Slice(offset + 1, label), name.Slice(at + 1, label)))
            {
                return false;
            }

            offset += label + 1;
            at += label + 1;
        }
    }
}
