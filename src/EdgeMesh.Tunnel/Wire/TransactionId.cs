using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>12 unguessable bytes that tie an answer to its question (STUN, probes).</summary>
public readonly record struct TransactionId(ulong High, uint Low)
{
    public const int Length = 12;

    public static TransactionId NewRandom()
    {
        Span<byte> bytes = stackalloc byte[Length];
        RandomNumberGenerator.Fill(bytes);
        return Read(bytes);
    }

    internal static TransactionId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    internal void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], Low);
    }
}
