using System.Net;

namespace EdgeMesh.Dns;

/// <summary>One upstream server, for the operator.</summary>
/// <param name="Server">Its address.</param>
/// <param name="Latency">Smoothed time to an answer; null before the first.</param>
/// <param name="Failures">Attempts without an answer since the last answer.</param>
/// <param name="IsLoop">It forwards to this server and is not asked.</param>
public sealed record UpstreamStatus(IPEndPoint Server, TimeSpan? Latency, int Failures, bool IsLoop);
