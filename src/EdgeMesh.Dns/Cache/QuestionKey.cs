using System.Buffers.Binary;

namespace EdgeMesh.Dns;

/// <summary>
/// A question as it goes upstream and into the cache: <c>name (lower case) | type | class | flags</c>, flags being 1 for
/// DNSSEC OK and 2 for checking disabled, for which upstreams give other answers.
/// </summary>
internal static class QuestionKey
{
    public const int MaxLength = WireName.MaxLength + 5;

    private const byte DnssecOk = 1;
    private const byte CheckingDisabled = 2;

    public static int Write(Span<byte> key, ReadOnlySpan<byte> name, in DnsQuery query) =>
        Write(key, name, query.Type, query.Class, query.WantsDnssec, query.CheckingDisabled);

    public static int Write(
        Span<byte> key, ReadOnlySpan<byte> name, ushort type, ushort @class, bool dnssecOk = false, bool checkingDisabled = false)
    {
        name.CopyTo(key);
        BinaryPrimitives.WriteUInt16BigEndian(key[name.Length..], type);
        BinaryPrimitives.WriteUInt16BigEndian(key[(name.Length + 2)..], @class);
        key[name.Length + 4] = (byte)((dnssecOk ? DnssecOk : 0) | (checkingDisabled ? CheckingDisabled : 0));
        return name.Length + 5;
    }

    /// <summary>Name, type and class, as they stand in a message.</summary>
    public static ReadOnlySpan<byte> Question(ReadOnlySpan<byte> key) => key[..^1];

    public static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> key) => key[..^5];

    public static ushort Type(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadUInt16BigEndian(key[^5..]);

    public static bool WantsDnssec(ReadOnlySpan<byte> key) => (key[^1] & DnssecOk) != 0;

    public static bool IsCheckingDisabled(ReadOnlySpan<byte> key) => (key[^1] & CheckingDisabled) != 0;
}
