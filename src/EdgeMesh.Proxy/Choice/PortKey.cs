using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>What a client called: address (clusterIP or another one of the Service), protocol, port.</summary>
internal readonly record struct PortKey(IPAddress Address, TransportProtocol Protocol, ushort Port)
{
    public override string ToString() => $"{Address}:{Port}/{(Protocol == TransportProtocol.Udp ? "udp" : "tcp")}";
}
