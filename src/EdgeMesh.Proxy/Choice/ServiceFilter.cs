using EdgeMesh.Model;

namespace EdgeMesh.Proxy.Choice;

/// <summary>Which Services are the mesh's (kube-proxy skips the same, and EdgeMesh's own label besides).</summary>
internal static class ServiceFilter
{
    public static bool Serves(Service service, ServiceFilterMode mode) =>
        !service.IsHeadless
        && service.Type != ServiceType.ExternalName
        && !service.ClusterIPs.IsEmpty
        && service.ServiceProxyName is null
        && !service.HasHeadlessLabel
        && service.HasEdgeMeshFilterLabel == (mode == ServiceFilterMode.FilterIfLabelDoesNotExists);
}
