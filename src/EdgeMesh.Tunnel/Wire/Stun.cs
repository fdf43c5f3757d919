using System.Buffers.Binary;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// STUN Binding (RFC 8489): type (2), length (2), magic cookie (4), transaction (12), then attributes type (2), length (2),
/// value padded to 4. Written with SOFTWARE and FINGERPRINT; a FINGERPRINT that came must be right and last.
/// </summary>
public static class Stun
{
    /// <summary>Room that is enough for every message written here.</summary>
    public const int MaxLength = 128;

    private const int HeaderLength = 20;
    private const uint Cookie = 0x2112A442;
    private const uint FingerprintMask = 0x5354554E;
    private const ushort BindingRequest = 0x0001;
    private const ushort BindingSuccess = 0x0101;
    private const ushort BindingError = 0x0111;
    private const ushort ErrorCode = 0x0009;
    private const ushort UnknownAttributes = 0x000A;
    private const ushort MappedAddress = 0x0001;
    private const ushort XorMappedAddress = 0x0020;
    private const ushort Software = 0x8022;
    private const ushort Fingerprint = 0x8028;

    private static ReadOnlySpan<byte> SoftwareName => "EdgeMesh"u8;

    // Attributes of RFC 8489, 5780 and 8445 that a client may put in a Binding request and that need no answer of their own.
    private static bool IsHarmless(ushort type) => type
        is MappedAddress or 0x0006 or 0x0008 or 0x0014 or 0x0015 or 0x001C or 0x001D or 0x001E or XorMappedAddress or 0x0024 or 0x0025;

    public static bool TryReadRequest(ReadOnlySpan<byte> datagram, out StunRequest request)
    {
        request = default;
        if (!TryReadHeader(datagram, BindingRequest, out TransactionId transaction))
        {
            return false;
        }

        ushort unknown = 0;
        AttributeReader attributes = new(datagram);
        while (attributes.TryNext(out ushort type, out _))
        {
            if (unknown == 0 && type < 0x8000 && !IsHarmless(type))
            {
                unknown = type;
            }
        }

        request = new StunRequest(transaction, unknown);
        return attributes.IsGood;
    }

    public static bool TryReadSuccess(ReadOnlySpan<byte> datagram, out TransactionId transaction, out WireAddress mapped)
    {
        mapped = default;
        if (!TryReadHeader(datagram, BindingSuccess, out transaction))
        {
            return false;
        }

        AttributeReader attributes = new(datagram);
        while (attributes.TryNext(out ushort type, out ReadOnlySpan<byte> value))
        {
            if (type == XorMappedAddress && !TryUnmask(value, transaction, out mapped))
            {
                return false;
            }
        }

        return attributes.IsGood && mapped.Family != 0;
    }

    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public static int WriteRequest(Span<byte> target, TransactionId transaction)
    {
        WireWriter writer = Begin(target, BindingRequest, transaction);
        return End(ref writer, target);
    }

    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public static int WriteSuccess(Span<byte> target, TransactionId transaction, WireAddress mapped)
    {
        WireWriter writer = Begin(target, BindingSuccess, transaction);
        Span<byte> address = stackalloc byte[16];
        int size = mapped.CopyAddress(address);
        Mask(address[..size], transaction);
        writer.UInt16(XorMappedAddress);
        writer.UInt16((ushort)(4 + size));
        writer.UInt16((ushort)(size == 4 ? 1 : 2));
        writer.UInt16((ushort)(mapped.Port ^ (Cookie >> 16)));
        writer.Bytes(address[..size]);
        return End(ref writer, target);
    }

    /// <summary>Error 420 with UNKNOWN-ATTRIBUTES (RFC 8489, section 6.3.1).</summary>
    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public static int WriteUnknownAttribute(Span<byte> target, TransactionId transaction, ushort attribute)
    {
        ReadOnlySpan<byte> reason = "Unknown Attribute"u8;
        WireWriter writer = Begin(target, BindingError, transaction);
        writer.UInt16(ErrorCode);
        writer.UInt16((ushort)(4 + reason.Length));
        writer.UInt32((4 << 8) | 20);
        writer.Bytes(reason);
        writer.Zero(-reason.Length & 3);
        writer.UInt16(UnknownAttributes);
        writer.UInt16(2);
        writer.UInt16(attribute);
        writer.Zero(2);
        return End(ref writer, target);
    }

    private static WireWriter Begin(Span<byte> target, ushort type, TransactionId transaction)
    {
        WireWriter writer = new(target);
        Span<byte> id = stackalloc byte[TransactionId.Length];
        transaction.Write(id);
        writer.UInt16(type);
        writer.UInt16(0);
        writer.UInt32(Cookie);
        writer.Bytes(id);
        return writer;
    }

    private static int End(ref WireWriter writer, Span<byte> target)
    {
        writer.UInt16(Software);
        writer.UInt16((ushort)SoftwareName.Length);
        writer.Bytes(SoftwareName);
        int body = writer.Length;
        writer.UInt16(Fingerprint);
        writer.UInt16(4);
        writer.UInt32(0);
        int length = writer.Length;
        if (length > 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)(length - HeaderLength));
            BinaryPrimitives.WriteUInt32BigEndian(target[(length - 4)..], Crc32.Of(target[..body]) ^ FingerprintMask);
        }

        return length;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> datagram, ushort type, out TransactionId transaction)
    {
        transaction = default;
        if (datagram.Length < HeaderLength
            || BinaryPrimitives.ReadUInt16BigEndian(datagram) != type
            || BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) != datagram.Length - HeaderLength
            || BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) != Cookie)
        {
            return false;
        }

        transaction = TransactionId.Read(datagram[8..]);
        return true;
    }

    private static bool TryUnmask(ReadOnlySpan<byte> value, TransactionId transaction, out WireAddress mapped)
    {
        mapped = default;
        int size = value.Length - 4;
        if (size is not (4 or 16) || value[1] != (size == 4 ? 1 : 2))
        {
            return false;
        }

        Span<byte> address = stackalloc byte[16];
        value[4..].CopyTo(address);
        Mask(address[..size], transaction);
        mapped = WireAddress.FromBytes(address[..size], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(value[2..]) ^ (Cookie >> 16)));
        return true;
    }

    private static void Mask(Span<byte> address, TransactionId transaction)
    {
        Span<byte> mask = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(mask, Cookie);
        transaction.Write(mask[4..]);
        for (int i = 0; i < address.Length; i++)
        {
            address[i] ^= mask[i];
        }
    }

    // Walks the attributes and judges them on the way: lengths inside the message, FINGERPRINT right and last.
    private ref struct AttributeReader(ReadOnlySpan<byte> message)
    {
        private readonly ReadOnlySpan<byte> message = message;
        private int at = HeaderLength;
        private bool bad;

        public readonly bool IsGood => !bad && at == message.Length;

        public bool TryNext(out ushort type, out ReadOnlySpan<byte> value)
        {
            type = 0;
            value = default;
            if (bad || at == message.Length)
            {
                return false;
            }

            int room = message.Length - at - 4;
            int length = room < 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);
            int padded = (length + 3) & ~3;
            if (room < 0 || padded > room)
            {
                bad = true;
                return false;
            }

            type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
            value = message.Slice(at + 4, length);
            if (type == Fingerprint)
            {
                bad = length != 4 || room != 4
                    || BinaryPrimitives.ReadUInt32BigEndian(value) != (Crc32.Of(message[..at]) ^ FingerprintMask);
            }

            at += 4 + padded;
            return !bad;
        }
    }
}
