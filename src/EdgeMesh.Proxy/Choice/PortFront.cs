namespace EdgeMesh.Proxy.Choice;

/// <summary>Behind which kind of address a Service port is served.</summary>
internal enum PortFront : byte
{
    /// <summary>A clusterIP: the whole address is ours.</summary>
    Cluster,

    /// <summary>Node port, externalIP or LoadBalancer ingress under <c>externalTrafficPolicy: Cluster</c>: only the port is ours.</summary>
    Anywhere,

    /// <summary>The same under <c>externalTrafficPolicy: Local</c>: clients from outside get endpoints of this node and keep their address.</summary>
    LocalOnly,
}
