using System.Net;

namespace EdgeMesh.Model;

/// <summary>Numbers that two rooms must agree on. Everything else is an option of one room.</summary>
public static class MeshDefaults
{
    /// <summary>
    /// SO_MARK of every socket the agent opens itself. All our nftables chains return on it, so that an agent whose
    /// server or API sits behind a Service never feeds its uplink into the tunnel that needs the uplink. The bits keep
    /// clear of kube-proxy's 0x4000 and 0x8000 and of Tailscale's 0x80000.
    /// </summary>
    public const int AgentSocketMark = 0x20d3;

    /// <summary>Address of the mesh device <c>edgemesh0</c>: the agent's listeners and its DNS server bind here.</summary>
    public static readonly IPAddress MeshAddress = IPAddress.Parse("169.254.96.16");

    /// <summary>TCP (HTTPS, WebSocket) and UDP (STUN, relay) port of a server.</summary>
    public const int ServerPort = 20006;

    /// <summary>UDP port of an agent, when it is free.</summary>
    public const int AgentPort = 20007;

    /// <summary>Metrics and health of an agent, on 127.0.0.1.</summary>
    public const int AgentMetricsPort = 20008;

    /// <summary>Metrics and health of a server, on 127.0.0.1.</summary>
    public const int ServerMetricsPort = 20009;

    /// <summary>Second UDP port of a server: two ports tell NAT mapping behaviours apart (RFC 5780).</summary>
    public const int ServerSecondUdpPort = 20016;
}
