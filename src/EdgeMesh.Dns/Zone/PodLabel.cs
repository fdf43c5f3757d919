using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Dns;

/// <summary>The first label of a pod's name: its address with dashes, <c>10-1-2-3</c> or <c>fd00--1</c>.</summary>
internal static class PodLabel
{
    public static bool TryRead(ReadOnlySpan<byte> label, out DnsAddress address)
    {
        address = default;
        if (label.Length > 39)
        {
            return false;
        }

        bool isIPv4 = label.Count((byte)'-') == 3 && label.IndexOfAnyExceptInRange((byte)'-', (byte)'9') < 0 && label.IndexOf("--"u8) < 0;
        Span<char> text = stackalloc char[label.Length];
        for (int i = 0; i < label.Length; i++)
        {
            char c = (char)label[i];
            if (c != '-' && !char.IsAsciiHexDigit(c))
            {
                return false;
            }

            text[i] = c != '-' ? c : isIPv4 ? '.' : ':';
        }

        return isIPv4 ? TryReadV4(text, out address) : TryReadV6(text, out address);
    }

    private static bool TryReadV4(ReadOnlySpan<char> text, out DnsAddress address)
    {
        address = default;
        uint bits = 0;
        foreach (Range part in text.Split('.'))
        {
            ReadOnlySpan<char> number = text[part];
            if ((number.Length > 1 && number[0] == '0') || !byte.TryParse(number, out byte value))
            {
                return false;
            }

            bits = (bits << 8) | value;
        }

        address = new DnsAddress(bits, false);
        return true;
    }

    private static bool TryReadV6(ReadOnlySpan<char> text, out DnsAddress address)
    {
        address = default;
        if (!text.Contains(':') || !IPAddress.TryParse(text, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return false;
        }

        address = DnsAddress.From(parsed);
        return true;
    }
}
