using System.Net;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>A port of the gateway that leads to ours.</summary>
/// <param name="Protocol"><c>PCP</c>, <c>NAT-PMP</c> or <c>UPnP</c>.</param>
/// <param name="External">The gateway's address and port.</param>
/// <param name="Lifetime">The gateway forgets it after this; zero: never.</param>
internal sealed record PortMapping(string Protocol, IPEndPoint External, TimeSpan Lifetime);
