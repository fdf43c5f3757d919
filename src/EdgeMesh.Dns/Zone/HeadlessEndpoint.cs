using System.Collections.Immutable;
using EdgeMesh.Model;

namespace EdgeMesh.Dns;

/// <summary>One published endpoint of a headless Service.</summary>
/// <param name="Label">First label of its name: the hostname, or the address with dashes.</param>
/// <param name="Address">Its address.</param>
/// <param name="Ports">Ports of its slice, shared with the model.</param>
internal sealed record HeadlessEndpoint(byte[] Label, DnsAddress Address, ImmutableArray<EndpointPort> Ports)
{
    /// <summary>False if an endpoint in front of it has the same address: the Service's own name gives each address once.</summary>
    public required bool IsFirstOfAddress { get; init; }

    /// <summary>False if an endpoint in front of it has the same name and ports: no SRV record comes twice (RFC 2181 section 5).</summary>
    public required bool IsFirstOfTarget { get; init; }
}
