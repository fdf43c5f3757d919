namespace EdgeMesh.Tunnel;

/// <summary>What the NAT in front of this node does, as servers see it (RFC 4787 section 4.1).</summary>
public enum NatMapping
{
    /// <summary>No server has answered over UDP.</summary>
    Unknown,

    /// <summary>Servers see an address of this node's own.</summary>
    None,

    /// <summary>One outside port for all destinations: peers can be reached directly.</summary>
    EndpointIndependent,

    /// <summary>Another outside port for each destination: ports must be guessed or mapped.</summary>
    DestinationDependent,
}

/// <summary>One TCP port of a server, tried just now.</summary>
/// <param name="Address">Address and port; through a proxy the server's name and port.</param>
/// <param name="Proxy">The proxy it was tried through, or null.</param>
/// <param name="RoundTrip">Time until it was connected; null if it failed.</param>
/// <param name="Fault">Why it failed.</param>
public sealed record ServerPortCheck(string Address, string? Proxy, TimeSpan? RoundTrip, string? Fault);

/// <summary>A server as the check found it.</summary>
/// <param name="Status">As the tunnel has it.</param>
/// <param name="Ports">TCP ports in the order in which the agent tries them.</param>
/// <param name="Fault">Why its name does not resolve, or null.</param>
public sealed record ServerCheck(ServerStatus Status, IReadOnlyList<ServerPortCheck> Ports, string? Fault);

/// <summary>What stands between this node and its peers.</summary>
/// <param name="UdpPort">The tunnel's port.</param>
/// <param name="Mapping">What the NAT does.</param>
/// <param name="Addresses">Addresses told to peers, with how each is known.</param>
/// <param name="HasIPv6">One of them is IPv6.</param>
/// <param name="MappedPort">The router's port that leads to ours, with the protocol that got it; null for none.</param>
/// <param name="Mtu">Largest UDP payload that passes every direct path in use; 0 without one.</param>
/// <param name="Servers">All configured servers.</param>
public sealed record NetworkCheck(
    int UdpPort,
    NatMapping Mapping,
    IReadOnlyList<string> Addresses,
    bool HasIPv6,
    string? MappedPort,
    int Mtu,
    IReadOnlyList<ServerCheck> Servers);
