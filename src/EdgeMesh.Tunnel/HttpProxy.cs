using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;

namespace EdgeMesh.Tunnel;

/// <summary>
/// An HTTP proxy through which servers are reached where nothing else gets out, and the hosts for which it is not asked. As text it
/// is <c>HOST:PORT</c>: name and password get into no log and no report.
/// </summary>
public sealed class HttpProxy
{
    /// <summary>What curl takes when the URL names no port.</summary>
    private const ushort DefaultPort = 1080;

    private readonly IReadOnlyList<string> exceptions;

    private HttpProxy(string host, ushort port, string? credentials, IReadOnlyList<string> exceptions)
    {
        Host = host;
        Port = port;
        Credentials = credentials;
        this.exceptions = exceptions;
    }

    /// <summary>Name or address.</summary>
    public string Host { get; }

    public ushort Port { get; }

    public bool HasCredentials => Credentials is not null;

    /// <summary>Of the Basic scheme (RFC 7617), or null.</summary>
    internal string? Credentials { get; }

    /// <summary>Reads <c>[http://][USER:PASSWORD@]HOST[:PORT]</c>; user and password may be percent-encoded.</summary>
    /// <param name="text">The URL.</param>
    /// <param name="proxy">What it says.</param>
    /// <param name="fault">What is wrong with it, without any part of it: it may hold a password.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out HttpProxy? proxy, [NotNullWhen(false)] out string? fault)
    {
        proxy = null;
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0 && !text.AsSpan(0, scheme).Equals("http", StringComparison.OrdinalIgnoreCase))
        {
            fault = "it is no http:// proxy: TLS to the proxy and SOCKS are not spoken";
            return false;
        }

        string authority = text[(scheme < 0 ? 0 : scheme + 3)..].TrimEnd('/');
        int at = authority.LastIndexOf('@');
        string host = authority[(at + 1)..];
        int colon = host.LastIndexOf(':');
        ushort port = DefaultPort;
        bool isPort = true;
        if (colon >= 0 && !host.EndsWith(']'))
        {
            isPort = ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port > 0;
            host = host[..colon];
        }

        // Only the brackets tell the colons of an IPv6 address from that of a port.
        bool isV6 = host.StartsWith('[') && host.EndsWith(']');
        host = isV6 ? host[1..^1] : host;
        UriHostNameType kind = Uri.CheckHostName(host);
        if (!isPort || kind == UriHostNameType.Unknown || (kind == UriHostNameType.IPv6) != isV6)
        {
            fault = "it is not of the form http://HOST:PORT";
            return false;
        }

        fault = null;
        proxy = new HttpProxy(host, port, at < 0 ? null : Basic(authority[..at]), []);
        return true;
    }

    /// <summary>The same without some hosts, as <c>NO_PROXY</c> lists them for curl: names with all below them, addresses, networks, <c>*</c> for all.</summary>
    public HttpProxy Except(string? list) => new(
        Host, Port, Credentials,
        [.. (list ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(entry => entry.Trim('.', '[', ']'))]);

    /// <summary>Whether a server of this name or address is reached through it.</summary>
    public bool Serves(string host)
    {
        _ = IPAddress.TryParse(host, out IPAddress? address);
        return !exceptions.Any(entry => entry == "*" || (address is null ? IsWithin(host, entry) : Covers(entry, address)));
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static string Basic(string userInfo)
    {
        int colon = userInfo.IndexOf(':', StringComparison.Ordinal);
        string user = Uri.UnescapeDataString(colon < 0 ? userInfo : userInfo[..colon]);
        string password = colon < 0 ? "" : Uri.UnescapeDataString(userInfo[(colon + 1)..]);
        return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
    }

    private static bool IsWithin(string host, string domain) =>
        host.Equals(domain, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase);

    private static bool Covers(string entry, IPAddress address) =>
        IPAddress.TryParse(entry, out IPAddress? one) ? one.Equals(address) : IPNetwork.TryParse(entry, out IPNetwork network) && network.Contains(address);
}
