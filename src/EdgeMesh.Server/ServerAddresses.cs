namespace EdgeMesh.Server;

/// <summary>How agents reach this server, as its certificate and its welcome say.</summary>
/// <param name="Hosts">Names and addresses without ports, for the certificate.</param>
/// <param name="Tcp"><c>host:port</c> of HTTPS.</param>
/// <param name="Udp">First relay and STUN, second STUN only; then the same of further hosts.</param>
internal sealed record ServerAddresses(IReadOnlyList<string> Hosts, IReadOnlyList<string> Tcp, IReadOnlyList<string> Udp);
