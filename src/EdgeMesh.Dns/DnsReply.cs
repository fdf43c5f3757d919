namespace EdgeMesh.Dns;

/// <param name="Outcome">What to do.</param>
/// <param name="Length">Bytes written to the output.</param>
/// <param name="Source">Of an answer: where it is from.</param>
internal readonly record struct DnsReply(DnsOutcome Outcome, int Length, AnswerSource Source = AnswerSource.None);
