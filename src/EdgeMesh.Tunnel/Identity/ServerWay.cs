using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.Identity;

/// <summary>One way to a server's TCP port: straight to an address, or by its name through an HTTP proxy.</summary>
/// <param name="Host">Of the server, as configured.</param>
/// <param name="Port">Of the server.</param>
/// <param name="Address">Null through a proxy, which may be the only one to resolve the name.</param>
/// <param name="Proxy">Null straight.</param>
internal sealed record ServerWay(string Host, ushort Port, IPAddress? Address, HttpProxy? Proxy)
{
    /// <summary>All ways to a server in the order in which they are tried: ports as <see cref="ServerAddress"/> has them, the proxy last.</summary>
    /// <param name="server">The server.</param>
    /// <param name="hosts">Its addresses; none where its name does not resolve here.</param>
    /// <param name="proxy">Null for none.</param>
    public static List<ServerWay> All(ServerAddress server, IReadOnlyList<IPAddress> hosts, HttpProxy? proxy)
    {
        List<ServerWay> ways = [.. server.Ports.SelectMany(port => hosts.Select(host => new ServerWay(server.Host, port, host, null)))];
        if (proxy is not null && proxy.Serves(server.Host))
        {
            ways.AddRange(server.Ports.Select(port => new ServerWay(server.Host, port, null, proxy)));
        }

        return ways;
    }

    /// <summary>Where it leads: an address and port, or a name and port.</summary>
    public string Target => Address is not null ? new IPEndPoint(Address, Port).ToString() : Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>
    /// The name that the TLS handshake shows (SNI): the server's own, by which a front on port 443 tells it from other sites, and which
    /// a firewall that looks expects. An address is no such name.
    /// </summary>
    public string ServerName => Uri.CheckHostName(Host) == UriHostNameType.Dns ? Host : TrustAnchor.ServerName;

    /// <exception cref="SocketException">Refused or unreachable.</exception>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="IOException">The proxy refuses.</exception>
    public Task<Socket> ConnectAsync(int? mark, CancellationToken stop) => Proxy is null
        ? MarkedSocket.ConnectAsync(new IPEndPoint(Address!, Port), mark, stop)
        : ProxyConnect.ConnectAsync(Proxy, Target, mark, stop);

    public override string ToString() => Proxy is null ? Target : $"{Target} through proxy {Proxy}";
}
