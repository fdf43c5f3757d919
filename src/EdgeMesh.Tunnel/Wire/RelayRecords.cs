using System.Buffers.Binary;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>A binary WebSocket message: records of length (2) and frame, as many as fit 64 KiB.</summary>
public static class RelayRecords
{
    public const int MaxMessage = 65536;
    public const int Overhead = 2;

    /// <summary>Takes the first record off <paramref name="message"/>. False at its end and at a record that overruns it.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> message, out ReadOnlySpan<byte> frame)
    {
        frame = default;
        if (!BinaryPrimitives.TryReadUInt16BigEndian(message, out ushort length) || length > message.Length - Overhead)
        {
            return false;
        }

        frame = message.Slice(Overhead, length);
        message = message[(Overhead + length)..];
        return true;
    }

    /// <returns>Bytes written; 0 if the record does not fit.</returns>
    public static int Write(Span<byte> target, ReadOnlySpan<byte> frame)
    {
        if (frame.Length > ushort.MaxValue || frame.Length > target.Length - Overhead)
        {
            return 0;
        }

        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)frame.Length);
        frame.CopyTo(target[Overhead..]);
        return Overhead + frame.Length;
    }
}
