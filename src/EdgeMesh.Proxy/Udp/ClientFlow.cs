using System.Net;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Udp;

/// <summary>One client of a UDP Service port and the endpoint it was given.</summary>
internal sealed class ClientFlow(UdpPort port, SocketAddress client, PlannedEndpoint endpoint, long now)
{
    private long lastSeen = now;
    private volatile bool replied;

    public PlannedEndpoint Endpoint => endpoint;

    public bool HasReply => replied;

    public UdpFlow Flow { get; set; } = null!;

    /// <summary>Its share in the endpoint's load; null where nobody asks.</summary>
    public IDisposable? Load { get; set; }

    public void Touch(long now) => Volatile.Write(ref lastSeen, now);

    /// <summary>30 s without a reply, 120 s with one: as conntrack, so that both forget together.</summary>
    public bool IsIdle(long now) => now - Volatile.Read(ref lastSeen) > (replied ? 120_000 : 30_000);

    /// <summary>From the tunnel's thread or the local socket's.</summary>
    public void OnReply(ReadOnlySpan<byte> payload)
    {
        replied = true;
        Touch(port.Now);
        port.Reply(client, payload);
    }
}
