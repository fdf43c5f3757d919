namespace EdgeMesh.Tunnel.Wire;

/// <summary>How a node knows that one of its addresses may be reachable.</summary>
internal enum CandidateKind : byte
{
    Interface = 1,
    ServerReflexive = 2,
    PortMapped = 3,
    Configured = 4,

    /// <summary>As seen by a server, but the NAT gives every destination another port: only the address is of use.</summary>
    HardReflexive = 5,
}
