namespace EdgeMesh.Tunnel.Wire;

/// <summary>How a node knows that one of its addresses may be reachable.</summary>
internal enum CandidateKind : byte
{
    Interface = 1,
    ServerReflexive = 2,
    PortMapped = 3,
    Configured = 4,
}
