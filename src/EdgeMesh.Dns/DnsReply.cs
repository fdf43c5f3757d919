namespace EdgeMesh.Dns;

/// <param name="Outcome">What to do.</param>
/// <param name="Length">Bytes written to the output.</param>
internal readonly record struct DnsReply(DnsOutcome Outcome, int Length);
