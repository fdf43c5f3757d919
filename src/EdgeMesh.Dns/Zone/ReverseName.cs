using System.Globalization;

namespace EdgeMesh.Dns;

/// <summary>Names below <c>in-addr.arpa</c> (RFC 1035 section 3.5) and <c>ip6.arpa</c> (RFC 3596 section 2.5).</summary>
internal static class ReverseName
{
    private static readonly byte[] V4 = WireName.FromText("in-addr.arpa");
    private static readonly byte[] V6 = WireName.FromText("ip6.arpa");

    /// <summary>True for a complete address.</summary>
    public static bool TryRead(scoped NameView name, out DnsAddress address)
    {
        address = default;
        if (name.IsUnder(V4, out int below) && below == 4)
        {
            return TryReadV4(name, out address);
        }

        return name.IsUnder(V6, out below) && below == 32 && TryReadV6(name, out address);
    }

    private static bool TryReadV4(scoped NameView name, out DnsAddress address)
    {
        address = default;
        uint bits = 0;
        for (int i = 3; i >= 0; i--)
        {
            ReadOnlySpan<byte> label = name[i];
            if ((label.Length > 1 && label[0] == '0') || !IsDigits(label)
                || !byte.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out byte part))
            {
                return false;
            }

            bits = (bits << 8) | part;
        }

        address = new DnsAddress(bits, false);
        return true;
    }

    private static bool TryReadV6(scoped NameView name, out DnsAddress address)
    {
        address = default;
        UInt128 bits = 0;
        for (int i = 31; i >= 0; i--)
        {
            ReadOnlySpan<byte> label = name[i];
            int nibble = label.Length != 1 ? -1 : label[0] switch
            {
                >= (byte)'0' and <= (byte)'9' => label[0] - '0',
                >= (byte)'a' and <= (byte)'f' => label[0] - 'a' + 10,
                _ => -1,
            };
            if (nibble < 0)
            {
                return false;
            }

            bits = (bits << 4) | (uint)nibble;
        }

        address = new DnsAddress(bits, true);
        return true;
    }

    private static bool IsDigits(ReadOnlySpan<byte> label) => label.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
}
