using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Explain;

/// <summary>What was found out by asking and trying, for the explainer to judge. Empty parts were not asked.</summary>
public sealed record ExplainFacts
{
    public static readonly ExplainFacts None = new();

    /// <summary>Peers and how they are reached now; null text in <see cref="PeerFact.Path"/>: not at all.</summary>
    public IReadOnlyDictionary<NodeName, PeerFact> Peers { get; init; } = new Dictionary<NodeName, PeerFact>();

    /// <summary>Endpoints of this node that were dialled directly, past all rules of ours.</summary>
    public IReadOnlyDictionary<IPEndPoint, DialFact> Dials { get; init; } = new Dictionary<IPEndPoint, DialFact>();

    /// <summary>A connection to the Service's own address, as any process of this host makes it.</summary>
    public DialFact? ServiceDial { get; init; }

    /// <summary>A rule of another table that names an address of the Service, and where it stands.</summary>
    public string? ForeignRule { get; init; }

    /// <summary>A chain of another table that drops forwarded packets of clients outside.</summary>
    public string? ForwardDrop { get; init; }

    /// <summary>A chain of another table that keeps pods or clients outside from the agent.</summary>
    public string? InputDrop { get; init; }

    /// <summary>DNS servers that pods of this node are given, and the file that says so.</summary>
    public IReadOnlyList<IPAddress> ClusterDns { get; init; } = [];

    public string? ClusterDnsFile { get; init; }

    /// <summary>Where the agent's DNS server listens.</summary>
    public IReadOnlyList<IPAddress> OurDns { get; init; } = [];

    /// <summary>Answer of the agent's DNS server for the Service's name.</summary>
    public string? DnsAnswer { get; init; }

    /// <summary>A client pod's address (<c>--from</c>).</summary>
    public IPAddress? From { get; init; }
}
