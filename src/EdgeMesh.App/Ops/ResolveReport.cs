using EdgeMesh.Dns;

namespace EdgeMesh.App.Ops;

/// <summary><c>edgemesh resolve NAME --json</c>: what the agent's DNS server answered to one question.</summary>
/// <param name="Name">The question's name.</param>
/// <param name="Type">The question's type.</param>
/// <param name="Server">The address that was asked.</param>
/// <param name="Code">NOERROR, NXDOMAIN, SERVFAIL, ….</param>
/// <param name="Answers">Records, as a zone file would write them.</param>
/// <param name="Milliseconds">How long the answer took.</param>
/// <param name="Steps">How the agent came to it.</param>
internal sealed record ResolveReport(
    string Name, string Type, string Server, string Code, IReadOnlyList<string> Answers, double Milliseconds, IReadOnlyList<DnsStep> Steps);
