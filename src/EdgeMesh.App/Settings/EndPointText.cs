using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace EdgeMesh.App.Settings;

/// <summary>Addresses with ports as options carry them.</summary>
internal static class EndPointText
{
    /// <summary>Accepts <c>ADDRESS:PORT</c>, <c>ADDRESS</c>, <c>:PORT</c> and <c>[v6]:PORT</c>.</summary>
    public static bool TryParse(string text, IPAddress anyHost, int defaultPort, [NotNullWhen(true)] out IPEndPoint? endPoint)
    {
        endPoint = null;
        if (text.StartsWith(':'))
        {
            if (!TryPort(text.AsSpan(1), out int port))
            {
                return false;
            }

            endPoint = new IPEndPoint(anyHost, port);
            return true;
        }

        if (!IPEndPoint.TryParse(text, out endPoint))
        {
            return false;
        }

        // "1.2" is an address to the platform's parser (inet_aton), and hardly what anyone meant.
        if (endPoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && text.Count(c => c == '.') != 3)
        {
            endPoint = null;
            return false;
        }

        if (endPoint.Port == 0)
        {
            endPoint.Port = defaultPort;
        }

        return true;
    }

    /// <summary>One address, an IPv4 one in full.</summary>
    public static bool IsAddress(string text, [NotNullWhen(true)] out IPAddress? address) => IPAddress.TryParse(text, out address)
        && (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork || text.Count(c => c == '.') == 3);

    /// <summary><c>HOST</c> or <c>HOST:PORT</c>; the host is a DNS name or an address, IPv6 in brackets.</summary>
    public static bool IsHostAndPort(string text)
    {
        string host = text;
        if (text.StartsWith('['))
        {
            int end = text.IndexOf(']', StringComparison.Ordinal);
            return end > 1 && IPAddress.TryParse(text.AsSpan(1, end - 1), out _)
                && (end == text.Length - 1 || (text[end + 1] == ':' && TryPort(text.AsSpan(end + 2), out _)));
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            host = text[..colon];
            if (!TryPort(text.AsSpan(colon + 1), out _))
            {
                return false;
            }
        }

        return Model.DnsName.IsSubdomain(host.ToLowerInvariant());
    }

    private static bool TryPort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536;
}
