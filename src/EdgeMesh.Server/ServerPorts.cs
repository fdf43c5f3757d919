using System.Net;
using System.Net.Sockets;

using EdgeMesh.Model;
using EdgeMesh.Server.Http;
using EdgeMesh.Server.Relay;

namespace EdgeMesh.Server;

/// <summary>The server's addresses: TCP and UDP on each of them, and the second UDP port.</summary>
internal sealed class ServerPorts : IDisposable
{
    /// <summary>With port 0 the TCP port the kernel picked may be taken for UDP: then another.</summary>
    private const int Attempts = 20;

    private readonly List<IPEndPoint> endPoints = [];
    private List<Socket> sockets = [];

    public IReadOnlyList<IPEndPoint> EndPoints => endPoints;

    public int SecondPort { get; private set; }

    /// <exception cref="MeshException">An address cannot be bound.</exception>
    public static ServerPorts Bind(ServerOptions options, UdpRelay udp)
    {
        ServerPorts ports = new();
        try
        {
            foreach (IPEndPoint wanted in options.Listen)
            {
                ports.BindBoth(wanted, udp);
            }

            foreach (IPAddress address in options.Listen.Select(wanted => wanted.Address).Distinct())
            {
                IPEndPoint second = new(address, ports.SecondPort == 0 ? options.SecondUdpPort : ports.SecondPort);
                ports.SecondPort = OpenUdp(udp, second, isStunOnly: true, "--second-udp-port").Port;
            }

            return ports;
        }
        catch
        {
            ports.Dispose();
            throw;
        }
    }

    /// <summary>What is advertised, with ports filled in.</summary>
    /// <exception cref="MeshException">Nothing is given and a wildcard is listened on, or an entry is no <c>HOST[:PORT]</c>.</exception>
    public ServerAddresses Advertise(IReadOnlyList<string> given)
    {
        List<string> hosts = [];
        List<string> tcp = [];
        List<string> udp = [];
        foreach ((string host, int port) in given.Count > 0 ? given.Select(Parse) : endPoints.Select(Concrete))
        {
            tcp.Add(Join(host, port));
            udp.Add(Join(host, port));
            if (!hosts.Contains(host))
            {
                hosts.Add(host);
                udp.Add(Join(host, SecondPort));
            }
        }

        return new ServerAddresses(hosts, tcp, udp);
    }

    /// <summary>The bound TCP sockets; they are the caller's.</summary>
    public IReadOnlyList<Socket> TakeSockets()
    {
        List<Socket> taken = sockets;
        sockets = [];
        return taken;
    }

    public void Dispose()
    {
        foreach (Socket socket in sockets)
        {
            socket.Dispose();
        }
    }

    private void BindBoth(IPEndPoint wanted, UdpRelay udp)
    {
        for (int attempt = 1; ; attempt++)
        {
            Socket socket = BindTcp(wanted);
            try
            {
                IPEndPoint bound = (IPEndPoint)socket.LocalEndPoint!;
                OpenUdp(udp, new IPEndPoint(wanted.Address, bound.Port), isStunOnly: false, "--listen");
                sockets.Add(socket);
                endPoints.Add(bound);
                return;
            }
            catch (MeshException) when (wanted.Port == 0 && attempt < Attempts)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static Socket BindTcp(IPEndPoint wanted)
    {
        try
        {
            return HttpServer.Bind(wanted);
        }
        catch (SocketException fault)
        {
            throw CannotBind("--listen", "TCP", wanted, fault);
        }
    }

    private static IPEndPoint OpenUdp(UdpRelay udp, IPEndPoint wanted, bool isStunOnly, string option)
    {
        try
        {
            return udp.Open(wanted, isStunOnly);
        }
        catch (SocketException fault)
        {
            throw CannotBind(option, "UDP", wanted, fault);
        }
    }

    private static MeshException CannotBind(string option, string protocol, IPEndPoint wanted, SocketException fault)
    {
        string remedy = fault.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse =>
                $"another program has it ('ss -lnp{(protocol == "TCP" ? "t" : "u")} sport = :{wanted.Port}' shows which): stop that or choose another port",
            SocketError.AddressNotAvailable => "this host has no such address: choose one of 'ip address' or 0.0.0.0",
            SocketError.AccessDenied => "ports below 1024 need CAP_NET_BIND_SERVICE: run as root or choose a higher port",
            _ => fault.Message,
        };
        return new MeshException(MeshExit.Failed, $"{option} {wanted} ({protocol}): cannot be bound; {remedy}", fault);
    }

    private (string Host, int Port) Parse(string given)
    {
        if (IPAddress.TryParse(given.Trim('[', ']'), out IPAddress? bare))
        {
            return (bare.ToString(), endPoints[0].Port);
        }

        int colon = given.LastIndexOf(':');
        string host = colon < 0 ? given : given[..colon];
        int port = endPoints[0].Port;
        bool isPort = colon < 0 || (int.TryParse(given.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out port) && port is > 0 and <= 65535);
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address))
        {
            host = address.ToString();
        }
        else if (Uri.CheckHostName(host) != UriHostNameType.Dns)
        {
            isPort = false;
        }

        return isPort
            ? (host, port)
            : throw new MeshException(MeshExit.Usage, $"--advertise {given}: not of the form HOST[:PORT]; give for example mesh.example.org or 203.0.113.5:443");
    }

    private static (string Host, int Port) Concrete(IPEndPoint endPoint) =>
        endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any)
            ? throw new MeshException(MeshExit.Usage, $"--advertise is missing: --listen {endPoint} does not say how agents reach this server; give --advertise HOST[:PORT]")
            : (endPoint.Address.ToString(), endPoint.Port);

    private static string Join(string host, int port) => host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";
}
