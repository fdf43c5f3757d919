using EdgeMesh.Model;

namespace EdgeMesh.Kube;

/// <summary>A kind of object and where the API has it.</summary>
internal sealed record ApiResource(ObjectKind Kind, string Path, bool IsEndpoints = false)
{
    public static readonly ApiResource Services = new(ObjectKind.Service, "/api/v1/services");
    public static readonly ApiResource Slices = new(ObjectKind.EndpointSlice, "/apis/discovery.k8s.io/v1/endpointslices");
    public static readonly ApiResource Nodes = new(ObjectKind.Node, "/api/v1/nodes");

    /// <summary>Not every cluster has it, and none needs it.</summary>
    public static readonly ApiResource Rules = new(ObjectKind.DestinationRule, "/apis/networking.istio.io/v1/destinationrules") { IsOptional = true };

    /// <summary>What clusters before 1.21 have instead of slices.</summary>
    public static readonly ApiResource Endpoints = new(ObjectKind.EndpointSlice, "/api/v1/endpoints", IsEndpoints: true);

    /// <summary>Its absence is no fault.</summary>
    public bool IsOptional { get; init; }
}
