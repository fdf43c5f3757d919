namespace EdgeMesh.Tests.Unit.Tunnel.Paths;

internal enum NatKind
{
    None,

    /// <summary>Endpoint-independent mapping, address- and port-dependent filtering: what masquerade with a kept port does.</summary>
    PortPreserving,

    /// <summary>Another port for every destination.</summary>
    Symmetric,
}
