using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;

namespace EdgeMesh.Dns;

/// <summary>
/// An upstream's answer in our own encoding, without OPT: checked once, then copied. Immutable but for its mark of use.
/// </summary>
internal sealed class CachedAnswer(byte[] message, ImmutableArray<RecordMark> records)
{
    // Objects, array headers and the place in the table, so that the bound on bytes is honest for small answers.
    private const int Overhead = 240;

    private volatile bool used;

    /// <summary>Every upstream was silent or broken.</summary>
    public static readonly CachedAnswer Failed = new(new byte[DnsQuery.HeaderLength], []) { Rcode = DnsRcode.ServerFailure };

    /// <summary>We do not ask upstream for this client.</summary>
    public static readonly CachedAnswer Refused = new(new byte[DnsQuery.HeaderLength], []) { Rcode = DnsRcode.Refused };

    public ReadOnlySpan<byte> Message => message;

    public ImmutableArray<RecordMark> Records => records;

    public DnsRcode Rcode { get; init; }

    /// <summary>The upstream vouches for the data (AD).</summary>
    public bool IsAuthentic { get; init; }

    /// <summary>Who gave it.</summary>
    public IPEndPoint? Server { get; init; }

    /// <summary>How long it may be kept; zero for failures and answers that forbid it.</summary>
    public TimeSpan Lifetime { get; init; }

    /// <summary>Milliseconds of the server's clock when it came.</summary>
    public long StoredAt { get; init; }

    public long FreshUntil => StoredAt + (long)Lifetime.TotalMilliseconds;

    public int Size => message.Length + (records.Length * 6) + Overhead;

    /// <summary>True for what other questions may be answered with; a failure only ends the question it belongs to.</summary>
    public bool IsUsable => Rcode is DnsRcode.NoError or DnsRcode.NameError;

    public void MarkUsed()
    {
        // Read first: a line written by every reader would travel between cores.
        if (!used)
        {
            used = true;
        }
    }

    public bool TakeUsed()
    {
        bool was = used;
        used = false;
        return was;
    }

    /// <summary>Answers the same question with this message; TTLs count down.</summary>
    public void WriteWhole(ref DnsWriter writer, uint age, uint? ttl)
    {
        int end = writer.Position;
        ushort answers = 0, authorities = 0, additionals = 0;
        int taken = 0;
        foreach (RecordMark record in records)
        {
            if (record.End > writer.Limit)
            {
                if (record.Section != DnsSection.Additional)
                {
                    writer.Truncate();
                }

                break;
            }

            end = record.End;
            taken++;
            switch (record.Section)
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
        }

        Span<byte> copy = writer.CopyBody(message, end, answers, authorities, additionals);
        for (int i = 0; i < taken; i++)
        {
            Span<byte> field = copy[records[i].Ttl..];
            BinaryPrimitives.WriteUInt32BigEndian(field, Remaining(BinaryPrimitives.ReadUInt32BigEndian(field), age, ttl));
        }
    }

    /// <summary>Appends the answer and authority records behind an alias of ours.</summary>
    public void WriteBehindAlias(ref DnsWriter writer, uint age, uint? ttl)
    {
        int position = DnsQuery.HeaderLength;
        if (records.IsEmpty || !WireName.TrySkip(message, ref position))
        {
            return;
        }

        position += 4;
        foreach (RecordMark mark in records)
        {
            if (mark.Section == DnsSection.Additional || !DnsRecord.TryRead(message, ref position, out DnsRecord record)
                || !RecordCopy.TryCopy(message, record, mark.Section, Remaining(record.Ttl, age, ttl), ref writer))
            {
                return;
            }
        }
    }

    private static uint Remaining(uint recordTtl, uint age, uint? ttl) => ttl ?? (recordTtl > age ? recordTtl - age : 0);
}
