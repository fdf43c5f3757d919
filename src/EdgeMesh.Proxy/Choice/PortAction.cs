namespace EdgeMesh.Proxy.Choice;

internal enum PortAction : byte
{
    Serve,

    /// <summary>No endpoint anywhere: TCP RST, ICMP port unreachable.</summary>
    Reject,

    /// <summary>Traffic policy <c>Local</c> and none on this node, though there are some elsewhere.</summary>
    Drop,
}
