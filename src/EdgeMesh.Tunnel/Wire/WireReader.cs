using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>Reads big-endian fields from the front of a span and never past its end.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> rest = source;

    public readonly ReadOnlySpan<byte> Rest => rest;

    public bool TryByte(out byte value)
    {
        if (rest.IsEmpty)
        {
            value = 0;
            return false;
        }

        value = rest[0];
        rest = rest[1..];
        return true;
    }

    public bool TryUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(rest, out value))
        {
            return false;
        }

        rest = rest[2..];
        return true;
    }

    public bool TryUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(rest, out value))
        {
            return false;
        }

        rest = rest[4..];
        return true;
    }

    public bool TryUInt64(out ulong value)
    {
        if (!BinaryPrimitives.TryReadUInt64BigEndian(rest, out value))
        {
            return false;
        }

        rest = rest[8..];
        return true;
    }

    [SuppressMessage("Design", "CA1021", Justification = "the Try pattern")]
    public bool TryBytes(int count, out ReadOnlySpan<byte> bytes)
    {
        if (count < 0 || count > rest.Length)
        {
            bytes = default;
            return false;
        }

        bytes = rest[..count];
        rest = rest[count..];
        return true;
    }

    /// <summary>Length (1), then that many bytes.</summary>
    public bool TryShortText(out ReadOnlySpan<byte> text)
    {
        text = default;
        return TryByte(out byte length) && TryBytes(length, out text);
    }

    /// <summary>Family (1: 4 or 6), port (2), address (4 or 16).</summary>
    public bool TryAddress(out WireAddress address)
    {
        address = default;
        if (!TryByte(out byte family) || !TryUInt16(out ushort port) || family is not (4 or 6)
            || !TryBytes(family == 4 ? 4 : 16, out ReadOnlySpan<byte> bytes))
        {
            return false;
        }

        address = WireAddress.FromBytes(bytes, port);
        return true;
    }

    /// <summary>First byte as given, second byte version 1 with any flags.</summary>
    public bool TryStart(byte first, out byte flags)
    {
        flags = 0;
        if (!TryByte(out byte actual) || actual != first || !TryByte(out byte second)
            || second >> 4 != PacketKinds.Version)
        {
            return false;
        }

        flags = (byte)(second & 0x0F);
        return true;
    }
}
