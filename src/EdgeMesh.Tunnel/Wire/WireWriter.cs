using System.Buffers.Binary;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>Writes big-endian fields into a span. What does not fit is not written and makes <see cref="Length"/> 0.</summary>
internal ref struct WireWriter(Span<byte> target)
{
    private readonly Span<byte> target = target;
    private int length;
    private bool overflow;

    /// <summary>Bytes written; 0 when the span was too short for all of them.</summary>
    public readonly int Length => overflow ? 0 : length;

    public readonly Span<byte> Written => target[..Length];

    public void Byte(byte value)
    {
        if (Room(1))
        {
            target[length++] = value;
        }
    }

    public void UInt16(ushort value)
    {
        if (Room(2))
        {
            BinaryPrimitives.WriteUInt16BigEndian(target[length..], value);
            length += 2;
        }
    }

    public void UInt32(uint value)
    {
        if (Room(4))
        {
            BinaryPrimitives.WriteUInt32BigEndian(target[length..], value);
            length += 4;
        }
    }

    public void UInt64(ulong value)
    {
        if (Room(8))
        {
            BinaryPrimitives.WriteUInt64BigEndian(target[length..], value);
            length += 8;
        }
    }

    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (Room(bytes.Length))
        {
            bytes.CopyTo(target[length..]);
            length += bytes.Length;
        }
    }

    public void Zero(int count)
    {
        if (Room(count))
        {
            target.Slice(length, count).Clear();
            length += count;
        }
    }

    /// <summary>Length (1), then the bytes; more than 255 do not fit.</summary>
    public void ShortText(scoped ReadOnlySpan<byte> text)
    {
        overflow |= text.Length > 255;
        Byte((byte)text.Length);
        Bytes(text);
    }

    public void Address(WireAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        int size = address.CopyAddress(bytes);
        Byte(address.Family);
        UInt16(address.Port);
        Bytes(bytes[..size]);
    }

    /// <summary>Fills in a 16-bit length that was left open at <paramref name="at"/>: the bytes behind it.</summary>
    public readonly void PatchLength(int at)
    {
        if (!overflow)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target[at..], (ushort)(length - at - 2));
        }
    }

    private bool Room(int count)
    {
        overflow |= count > target.Length - length;
        return !overflow;
    }
}
