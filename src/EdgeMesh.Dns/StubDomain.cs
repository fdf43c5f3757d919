using System.Net;

namespace EdgeMesh.Dns;

/// <summary>A domain outside the cluster that servers of its own know.</summary>
/// <param name="Domain">It and all names below it.</param>
/// <param name="Servers">Asked instead of the upstreams; the upstreams are not asked when they are silent.</param>
public sealed record StubDomain(string Domain, IReadOnlyList<IPEndPoint> Servers);
