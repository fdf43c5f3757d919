using System.Globalization;
using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Tests.Unit.Kube;

/// <summary>A snapshot as text, independent of the order in which things arrived.</summary>
internal static class ModelText
{
    public static string Of(MeshSnapshot snapshot)
    {
        StringBuilder text = new();
        foreach (ServiceState state in snapshot.Services.Values.OrderBy(state => state.Name))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{state.Name} {(state.Service is Service service ? Of(service) : "-")}");
            foreach (EndpointSlice slice in state.Slices.OrderBy(slice => slice.Key, StringComparer.Ordinal))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {slice.Key} {slice.Service} {slice.Family} {string.Join(',', slice.Ports)}");
                foreach (Endpoint endpoint in slice.Endpoints)
                {
                    text.AppendLine(
                        CultureInfo.InvariantCulture,
                        $"    {endpoint with { ZoneHints = [], NodeHints = [] }} {string.Join(',', endpoint.ZoneHints)} {string.Join(',', endpoint.NodeHints)}");
                }
            }
        }

        foreach (Node node in snapshot.Nodes.Values.OrderBy(node => node.Name))
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"{node with { Addresses = [], PodCidrs = [] }} {string.Join(',', node.Addresses)} {string.Join(',', node.PodCidrs)}");
        }

        return text.ToString();
    }

    private static string Of(Service service) =>
        $"{service with { ClusterIPs = [], Ports = [], ExternalIPs = [], LoadBalancerIngress = [], LoadBalancerSourceRanges = [] }} "
        + $"{string.Join(',', service.ClusterIPs)} {string.Join(',', service.Ports)} {string.Join(',', service.ExternalIPs)} "
        + $"{string.Join(',', service.LoadBalancerIngress)} {string.Join(',', service.LoadBalancerSourceRanges)}";
}
