using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Kube;

/// <summary>
/// Addresses as the Kubernetes API accepts them. The platform's parser also takes <c>1</c>, <c>0x7f.1</c> and octal
/// <c>010.0.0.1</c>, which would send traffic to an address that nobody wrote.
/// </summary>
internal static class AddressText
{
    public static bool TryParse(string text, out IPAddress address)
    {
        address = IPAddress.None;
        bool isV6 = text.Contains(':', StringComparison.Ordinal);
        if (isV6 ? text.Contains('%', StringComparison.Ordinal) || text.StartsWith('[') : !IsDottedQuad(text))
        {
            return false;
        }

        if (!IPAddress.TryParse(text, out IPAddress? parsed) || parsed.IsIPv4MappedToIPv6)
        {
            return false;
        }

        address = parsed;
        return true;
    }

    /// <summary>Bits beyond the prefix are cleared, as the API does.</summary>
    public static bool TryParseNetwork(string text, out IPNetwork network)
    {
        network = default;
        text = text.Trim();
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0
            || !TryParse(text[..slash], out IPAddress address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int prefix)
            || prefix > (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128))
        {
            return false;
        }

        byte[] bytes = address.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            int kept = Math.Clamp(prefix - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }

        network = new IPNetwork(new IPAddress(bytes), prefix);
        return true;
    }

    /// <summary>Addresses that no endpoint can have: the API refuses them in EndpointSlices. Loopback is its own case.</summary>
    public static bool IsSpecial(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
        || address.IsIPv6LinkLocal || address.IsIPv6Multicast || IsSpecialV4(address);

    private static bool IsSpecialV4(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        return address.AddressFamily == AddressFamily.InterNetwork && address.TryWriteBytes(bytes, out _)
            && (bytes is [169, 254, ..] || bytes[0] is >= 224 and < 240);
    }

    private static bool IsDottedQuad(string text)
    {
        int parts = 0;
        foreach (Range range in text.AsSpan().Split('.'))
        {
            ReadOnlySpan<char> part = text.AsSpan()[range];
            if (++parts > 4
                || part.Length is 0 or > 3
                || (part.Length > 1 && part[0] == '0')
                || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                return false;
            }
        }

        return parts == 4;
    }
}
