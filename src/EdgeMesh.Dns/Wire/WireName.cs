using System.Text;

namespace EdgeMesh.Dns;

/// <summary>
/// Names as they stand on the wire (RFC 1035 section 3.1): length-prefixed labels, ended by an empty one, at most 255 bytes.
/// Every read is bounded: a compression pointer must point before the name it stands in, so that each jump goes backwards.
/// </summary>
internal static class WireName
{
    public const int MaxLength = 255;
    public const int MaxLabels = 127;
    public const int MaxLabel = 63;

    /// <summary>Offsets above this cannot be the target of a compression pointer.</summary>
    public const int MaxPointer = 0x3fff;

    /// <summary>Reads a name, following pointers, and writes it uncompressed in its own case.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="position">Start of the name; afterwards the first byte behind it.</param>
    /// <param name="name">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="length">Bytes written, the final empty label included.</param>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int position, Span<byte> name, out int length)
    {
        length = 0;
        int at = position;
        int barrier = position;
        bool jumped = false;
        while ((uint)at < (uint)message.Length)
        {
            int label = message[at];
            if (label >= 0xc0)
            {
                if (at + 1 >= message.Length)
                {
                    return false;
                }

                int target = ((label & 0x3f) << 8) | message[at + 1];
                if (!jumped)
                {
                    position = at + 2;
                    jumped = true;
                }

                if (target >= barrier)
                {
                    return false;
                }

                barrier = at = target;
                continue;
            }

            if (label > MaxLabel || length + label + 1 > MaxLength || at + 1 + label > message.Length)
            {
                return false;
            }

            message.Slice(at, label + 1).CopyTo(name[length..]);
            length += label + 1;
            at += label + 1;
            if (label == 0)
            {
                if (!jumped)
                {
                    position = at;
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>Passes over a name without looking where its pointer leads.</summary>
    public static bool TrySkip(ReadOnlySpan<byte> message, ref int position)
    {
        while ((uint)position < (uint)message.Length)
        {
            int label = message[position];
            if (label >= 0xc0)
            {
                position += 2;
                return position <= message.Length;
            }

            if (label > MaxLabel)
            {
                return false;
            }

            position += label + 1;
            if (label == 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Lower-cases ASCII letters in place. A length byte is at most 63 and so never taken for a letter.</summary>
    public static void ToLower(Span<byte> name)
    {
        foreach (ref byte b in name)
        {
            if ((uint)(b - 'A') <= 'Z' - 'A')
            {
                b |= 0x20;
            }
        }
    }

    public static byte Lower(byte b) => (uint)(b - 'A') <= 'Z' - 'A' ? (byte)(b | 0x20) : b;

    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            if (left[i] != right[i] && Lower(left[i]) != Lower(right[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Writes <c>a.b.c</c> or <c>a.b.c.</c> as a lower-case wire name; false for what is no ASCII name of legal length.</summary>
    public static bool TryFromText(ReadOnlySpan<char> text, Span<byte> name, out int length)
    {
        length = 0;
        if (text.EndsWith("."))
        {
            text = text[..^1];
        }

        while (!text.IsEmpty)
        {
            int dot = text.IndexOf('.');
            ReadOnlySpan<char> label = dot < 0 ? text : text[..dot];
            if (label.Length is 0 or > MaxLabel || length + label.Length + 2 > MaxLength || name.Length < length + label.Length + 2)
            {
                return false;
            }

            name[length] = (byte)label.Length;
            for (int i = 0; i < label.Length; i++)
            {
                if (label[i] is <= ' ' or > '~')
                {
                    return false;
                }

                name[length + 1 + i] = Lower((byte)label[i]);
            }

            length += label.Length + 1;
            text = dot < 0 ? [] : text[(dot + 1)..];
            if (dot >= 0 && text.IsEmpty)
            {
                return false;
            }
        }

        if (name.Length <= length)
        {
            return false;
        }

        name[length++] = 0;
        return true;
    }

    /// <exception cref="FormatException">The text is no name.</exception>
    public static byte[] FromText(string text)
    {
        Span<byte> name = stackalloc byte[MaxLength];
        return TryFromText(text, name, out int length)
            ? name[..length].ToArray()
            : throw new FormatException($"'{text}' is not a DNS name");
    }

    /// <summary>For logs and people. Bytes outside printable ASCII, dots and backslashes within a label are escaped (RFC 1035 section 5.1).</summary>
    public static string ToText(ReadOnlySpan<byte> name)
    {
        StringBuilder text = new();
        int at = 0;
        while (at < name.Length && name[at] != 0 && at + name[at] < name.Length)
        {
            foreach (byte b in name.Slice(at + 1, name[at]))
            {
                if (b is (byte)'.' or (byte)'\\')
                {
                    text.Append('\\').Append((char)b);
                }
                else if (b is > (byte)' ' and <= (byte)'~')
                {
                    text.Append((char)b);
                }
                else
                {
                    text.Append('\\').Append(b.ToString("D3", System.Globalization.CultureInfo.InvariantCulture));
                }
            }

            text.Append('.');
            at += name[at] + 1;
        }

        return text.Length == 0 ? "." : text.ToString();
    }
}
