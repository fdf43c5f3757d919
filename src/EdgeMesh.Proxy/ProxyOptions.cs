using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy;

/// <summary>How the label <c>service.edgemesh.kubeedge.io/service-proxy-name</c> is read.</summary>
public enum ServiceFilterMode : byte
{
    /// <summary>Services with the label are left alone.</summary>
    FilterIfLabelExists,

    /// <summary>Only Services with the label are served.</summary>
    FilterIfLabelDoesNotExists,
}

/// <summary>What the operator chose for the proxy of one node.</summary>
public sealed record ProxyOptions
{
    /// <summary>This node's name: endpoints with it are local.</summary>
    public required NodeName Self { get; init; }

    /// <summary>Address of the mesh device; the forwarders listen here.</summary>
    public IPAddress MeshAddress { get; init; } = MeshDefaults.MeshAddress;

    /// <summary>Name of the mesh device, a bridge.</summary>
    public string DeviceName { get; init; } = "edgemesh0";

    /// <summary>Routed to the mesh device as a whole. Null: one route for each clusterIP.</summary>
    public IPNetwork? ServiceCidr { get; init; }

    /// <summary>Pod networks of other nodes that this node's kernel reaches although no podCIDR says so.</summary>
    public IReadOnlyList<IPNetwork> RoutableCidrs { get; init; } = [];

    public ServiceFilterMode FilterMode { get; init; }

    public Balancing Balancing { get; init; }

    /// <summary>A stop leaves device, rules and routes: kernel arms work on, the agent's arm is refused until the next start.</summary>
    public bool KeepRules { get; init; }

    /// <summary>At a stop, connections that the agent carries have this long to end by themselves; then they are reset.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>UDP flows over all Services; new clients beyond are dropped and counted.</summary>
    public int MaxUdpFlows { get; init; } = 16_384;
}
