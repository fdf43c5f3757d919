namespace EdgeMesh.Proxy.Choice;

/// <summary>How an endpoint is reached from this node.</summary>
internal enum Placement : byte
{
    /// <summary>On this node: the kernel's arm, and the agent may dial it.</summary>
    Local,

    /// <summary>Elsewhere, but the kernel has a route: the kernel's arm.</summary>
    Routable,

    /// <summary>As <see cref="Routable"/>, but outside the cluster's nodes (no nodeName): masqueraded, or replies would not find the pod.</summary>
    OffMesh,

    /// <summary>On another node behind the tunnel: the agent's arm.</summary>
    Remote,
}
