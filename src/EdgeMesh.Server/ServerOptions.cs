using System.Net;

using EdgeMesh.Model;

namespace EdgeMesh.Server;

/// <summary>What a server is told.</summary>
public sealed record ServerOptions
{
    public required string StateDirectory { get; init; }

    /// <summary>TCP and UDP. With port 0 any free one is taken, the same for both.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [new IPEndPoint(IPAddress.Any, MeshDefaults.ServerPort)];

    /// <summary>STUN alone, on the addresses of <see cref="Listen"/>; 0 takes any free one.</summary>
    public int SecondUdpPort { get; init; } = MeshDefaults.ServerSecondUdpPort;

    /// <summary>
    /// <c>HOST[:PORT]</c> by which agents reach this server; without a port it is that of the first <see cref="Listen"/>. May be
    /// empty when every listen address is a concrete one.
    /// </summary>
    public IReadOnlyList<string> Advertise { get; init; } = [];

    /// <summary>Addresses of fronts, such as nginx on port 443, whose PROXY protocol header is believed.</summary>
    public IReadOnlyList<IPNetwork> ProxyProtocolFrom { get; init; } = [];

    public RelayLimits Limits { get; init; } = new();

    /// <summary><c>HOST[:PORT]</c> of the mesh's first server, whose registry this one copies; null where this is the first.</summary>
    public string? Join { get; init; }

    /// <summary>A token for servers, needed until this one has joined.</summary>
    public string? JoinToken { get; init; }
}
