using EdgeMesh.Model;

namespace EdgeMesh.Tunnel;

/// <summary>What a node needs to get or load its identity.</summary>
public sealed record EnrollOptions
{
    public required NodeName NodeName { get; init; }

    /// <summary>Keeps key, certificate and CA, readable by the owner only. Made if it is not there.</summary>
    public required string StateDirectory { get; init; }

    /// <summary><c>HOST[:PORT]</c> each; tried in this order.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>Join token, needed only until the node has a certificate.</summary>
    public string? Token { get; init; }

    /// <summary>SO_MARK of our connections; null for none.</summary>
    public int? SocketMark { get; init; } = MeshDefaults.AgentSocketMark;

    /// <summary>Asked for a way to servers that cannot be reached without it; null for none.</summary>
    public HttpProxy? HttpProxy { get; init; }
}
