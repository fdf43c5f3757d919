namespace EdgeMesh.Proxy.Rules;

/// <summary>The sets and maps of the table that hold Services. The README says what each is for.</summary>
internal enum RuleSetName : byte
{
    ClusterIps,
    Services,
    Endpoints,
    UdpAgents,
    Self,
    OffMesh,
    Retry,
    Whole,
    Fenced,
    Allowed,
}
