using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel;

/// <summary>What the operator says about the tunnel.</summary>
public sealed record TunnelOptions
{
    public required NodeName Self { get; init; }

    /// <summary>UDP port for everything; 0 or taken: any free one.</summary>
    public int Port { get; init; } = MeshDefaults.AgentPort;

    /// <summary><c>HOST[:PORT]</c> each; the agent connects to all of them.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>Keeps the addresses at which peers were last reached.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>SO_MARK of all sockets; null for none.</summary>
    public int? SocketMark { get; init; }

    /// <summary>Asked for a way to servers that cannot be reached without it; null for none.</summary>
    public HttpProxy? HttpProxy { get; init; }

    /// <summary>Only relayed paths: no address is told, probed or answered.</summary>
    public bool DisableDirect { get; init; }

    /// <summary>Ask the router for a port that leads to ours (PCP, NAT-PMP, UPnP).</summary>
    public bool MapPort { get; init; }

    /// <summary>
    /// Behind a NAT that gives every destination another port, or towards a peer behind one: guess ports, some 2,000 small
    /// datagrams an attempt (RFC 5128 section 3.4). Not for metered links.
    /// </summary>
    public bool GuessPorts { get; init; }

    /// <summary>Further addresses at which peers can reach this node, e.g. a forwarded port.</summary>
    public IReadOnlyList<IPEndPoint> Advertise { get; init; } = [];

    /// <summary>Threads among which the peers are shared out.</summary>
    internal int Threads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, UdpSteering.MaxSockets);

    /// <summary>For tests: datagrams to these addresses vanish, as behind a firewall.</summary>
    internal Func<WireAddress, bool>? Firewall { get; init; }
}
