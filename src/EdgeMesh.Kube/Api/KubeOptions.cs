namespace EdgeMesh.Kube;

/// <summary>Where the Services come from, as the operator says it: one of the first three, or none for whichever API answers.</summary>
public sealed record KubeOptions
{
    public string? Kubeconfig { get; init; }

    public bool InCluster { get; init; }

    /// <summary>URL of an API without credentials, mostly KubeEdge's MetaServer.</summary>
    public string? Api { get; init; }

    /// <summary>Certificate authority (PEM file) of an https <see cref="Api"/>.</summary>
    public string? ApiAuthority { get; init; }

    /// <summary>The URL is a MetaServer; null: it is one if it is on port 10550 or 10551 (KubeEdge's).</summary>
    public bool? IsMetaServer { get; init; }
}
