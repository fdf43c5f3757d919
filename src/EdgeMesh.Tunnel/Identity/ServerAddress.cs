using System.Globalization;
using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>A server as the operator wrote it: <c>HOST[:PORT]</c>, an IPv6 address with a port in brackets.</summary>
internal sealed class ServerAddress
{
    private const ushort HttpsPort = 443;

    private ServerAddress(string text, string host, ushort? port)
    {
        Text = text;
        Host = host;
        Ports = [.. ((ushort[])[port ?? MeshDefaults.ServerPort, HttpsPort]).Distinct()];
    }

    public string Text { get; }

    public string Host { get; }

    /// <summary>
    /// In the order in which they are tried: the one that was given, or else the default, then the one that gets out everywhere. Where a
    /// port was given the default may be another server of the same host.
    /// </summary>
    public IReadOnlyList<ushort> Ports { get; }

    /// <exception cref="MeshException">The text is no server address.</exception>
    public static ServerAddress Parse(string text)
    {
        string host = text;
        ushort? port = null;
        int colon = text.LastIndexOf(':');
        bool isBareV6 = colon >= 0 && text.IndexOf(':', StringComparison.Ordinal) != colon && !text.StartsWith('[');
        if (colon >= 0 && !isBareV6 && !text.EndsWith(']'))
        {
            host = text[..colon];
            port = ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) && number > 0
                ? number
                : throw Malformed(text, $"'{text[(colon + 1)..]}' is no port");
        }

        host = host.Trim('[', ']');
        return Uri.CheckHostName(host) == UriHostNameType.Unknown ? throw Malformed(text, "no host name or address") : new ServerAddress(text, host, port);
    }

    /// <summary>Parses a list; an empty one is a fault.</summary>
    /// <exception cref="MeshException">One is no server address, or there is none.</exception>
    public static IReadOnlyList<ServerAddress> ParseAll(IReadOnlyList<string> texts) => texts.Count == 0
        ? throw new MeshException(MeshExit.Usage, "no server is given: name at least one with --server HOST[:PORT]")
        : [.. texts.Select(Parse).DistinctBy(s => s.Text)];

    /// <summary>All addresses of the host now, in the resolver's order.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The name does not resolve.</exception>
    public async Task<IPAddress[]> ResolveAsync(CancellationToken stop) =>
        IPAddress.TryParse(Host, out IPAddress? literal) ? [literal] : await Dns.GetHostAddressesAsync(Host, stop).ConfigureAwait(false);

    public override string ToString() => Text;

    private static MeshException Malformed(string text, string why) =>
        new(MeshExit.Usage, $"--server '{text}' is malformed: {why}; expected HOST[:PORT]");
}
