namespace EdgeMesh.Tunnel.Wire;

/// <summary>An address at which a node might be reached directly.</summary>
internal readonly record struct Candidate(CandidateKind Kind, WireAddress Address);
