using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Dns;

/// <summary>Messages to and from an upstream.</summary>
internal static class UpstreamMessage
{
    private const ushort Tsig = 250;
    private static readonly TimeSpan longest = TimeSpan.FromHours(6);

    // A name that comes into being must not stay missing for long on a node that asked too early.
    private static readonly TimeSpan longestNegative = TimeSpan.FromSeconds(60);

    public static byte[] Query(ReadOnlySpan<byte> key, ushort id, bool withEdns)
    {
        ReadOnlySpan<byte> question = QuestionKey.Question(key);
        byte[] query = new byte[DnsQuery.HeaderLength + question.Length + (withEdns ? 11 : 0)];
        BinaryPrimitives.WriteUInt16BigEndian(query, id);
        int flags = DnsFlags.RecursionDesired | (QuestionKey.IsCheckingDisabled(key) ? DnsFlags.CheckingDisabled : 0);
        BinaryPrimitives.WriteUInt16BigEndian(query.AsSpan(2), (ushort)flags);
        query[5] = 1;
        question.CopyTo(query.AsSpan(DnsQuery.HeaderLength));
        if (withEdns)
        {
            query[11] = 1;
            Span<byte> opt = query.AsSpan(DnsQuery.HeaderLength + question.Length);
            BinaryPrimitives.WriteUInt16BigEndian(opt[1..], DnsType.Opt);
            BinaryPrimitives.WriteUInt16BigEndian(opt[3..], DnsLimits.UpstreamUdpPayload);
            opt[7] = QuestionKey.WantsDnssec(key) ? (byte)0x80 : (byte)0;
        }

        return query;
    }

    /// <summary>True if the message answers this very query: id and question; anything else on the socket is not for us.</summary>
    public static bool IsAnswerTo(ReadOnlySpan<byte> query, ReadOnlySpan<byte> message)
    {
        if (message.Length < DnsQuery.HeaderLength || message[0] != query[0] || message[1] != query[1] || (message[2] & 0xf8) != 0x80)
        {
            return false;
        }

        // Some servers refuse without repeating the question.
        ushort questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        if (questions == 0)
        {
            return (message[3] & 0xf) is not ((byte)DnsRcode.NoError or (byte)DnsRcode.NameError);
        }

        int end = DnsQuery.HeaderLength;
        return questions == 1 && WireName.TrySkip(query, ref end) && message.Length >= end + 4
            && WireName.EqualsIgnoreCase(query[DnsQuery.HeaderLength..end], message[DnsQuery.HeaderLength..end])
            && query.Slice(end, 4).SequenceEqual(message.Slice(end, 4));
    }

    public static bool IsTruncated(ReadOnlySpan<byte> message) => (message[2] & 0x02) != 0;

    public static DnsRcode RcodeOf(ReadOnlySpan<byte> message) => (DnsRcode)(message[3] & 0xf);

    /// <summary>Checks a message that <see cref="IsAnswerTo"/> accepted and encodes it anew; null if it is malformed.</summary>
    public static CachedAnswer? Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, long now, IPEndPoint? server = null)
    {
        DnsRcode rcode = RcodeOf(message);
        if (rcode is not (DnsRcode.NoError or DnsRcode.NameError))
        {
            return new CachedAnswer(message[..DnsQuery.HeaderLength].ToArray(), []) { Rcode = rcode, StoredAt = now, Server = server };
        }

        byte[] question = Query(key, 0, withEdns: false);
        DnsQuery.TryRead(question, stackalloc byte[DnsQuery.ScratchLength], out DnsQuery query);

        // Written anew it can grow, where names came compressed that we may not compress.
        byte[] buffer = new byte[Math.Min((message.Length * 2) + 512, DnsLimits.TcpMessage)];
        DnsWriter writer = new(buffer, buffer.Length, stackalloc ushort[DnsWriter.SuffixRoom], query);
        ImmutableArray<RecordMark>.Builder marks = ImmutableArray.CreateBuilder<RecordMark>();
        Lifetimes lifetimes = new(QuestionKey.Type(key), rcode);
        int position = question.Length;
        for (int section = 0; section < 3; section++)
        {
            int count = BinaryPrimitives.ReadUInt16BigEndian(message[(6 + (2 * section))..]);
            for (; count > 0; count--)
            {
                if (!DnsRecord.TryRead(message, ref position, out DnsRecord record))
                {
                    return null;
                }

                if (record.Type is DnsType.Opt or Tsig)
                {
                    continue;
                }

                int before = writer.Position;
                if (!RecordCopy.TryCopy(message, record, (DnsSection)section, record.Ttl, ref writer) || writer.IsTruncated)
                {
                    return null;
                }

                if (writer.Position != before)
                {
                    marks.Add(new RecordMark((ushort)writer.TtlOffset, (ushort)writer.Position, (DnsSection)section));
                }

                lifetimes.Add((DnsSection)section, record, message);
            }
        }

        int length = writer.Finish();
        return new CachedAnswer(buffer[..length], marks.DrainToImmutable())
        {
            Rcode = rcode,
            IsAuthentic = (message[3] & DnsFlags.AuthenticData) != 0,
            StoredAt = now,
            Server = server,
            Lifetime = lifetimes.Result,
        };
    }

    // RFC 2308: an answer lives as long as its shortest record, a missing one as long as the zone's SOA says.
    private struct Lifetimes(ushort type, DnsRcode rcode)
    {
        private uint shortest = uint.MaxValue;
        private uint? negative;
        private bool found;

        public void Add(DnsSection section, DnsRecord record, ReadOnlySpan<byte> message)
        {
            if (section == DnsSection.Answer)
            {
                shortest = Math.Min(shortest, record.Ttl);
                found |= record.Type == type || type == DnsType.Any;
            }
            else if (section == DnsSection.Authority && record.Type == DnsType.Soa && record.DataLength >= 22)
            {
                negative = Math.Min(record.Ttl, BinaryPrimitives.ReadUInt32BigEndian(message[(record.End - 4)..]));
            }
        }

        public readonly TimeSpan Result
        {
            get
            {
                if (found && rcode == DnsRcode.NoError)
                {
                    return Least(longest, shortest);
                }

                return negative is { } seconds ? Least(longestNegative, Math.Min(shortest, seconds)) : TimeSpan.Zero;
            }
        }

        private static TimeSpan Least(TimeSpan bound, uint seconds) =>
            seconds < bound.TotalSeconds ? TimeSpan.FromSeconds(seconds) : bound;
    }
}
