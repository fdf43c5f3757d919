namespace EdgeMesh.Model;

/// <summary>
/// Equality by content. Records compare an ImmutableArray by reference, so each record with one is compared with its
/// arrays set aside first and then element by element.
/// </summary>
public static class ModelEquality
{
    public static bool Same(Service? a, Service? b) =>
        ReferenceEquals(a, b) || (a is not null && b is not null
            && a with { ClusterIPs = [], Ports = [], ExternalIPs = [], LoadBalancerIngress = [], LoadBalancerSourceRanges = [] }
                == b with { ClusterIPs = [], Ports = [], ExternalIPs = [], LoadBalancerIngress = [], LoadBalancerSourceRanges = [] }
            && a.ClusterIPs.SequenceEqual(b.ClusterIPs)
            && a.Ports.SequenceEqual(b.Ports)
            && a.ExternalIPs.SequenceEqual(b.ExternalIPs)
            && a.LoadBalancerIngress.SequenceEqual(b.LoadBalancerIngress)
            && a.LoadBalancerSourceRanges.SequenceEqual(b.LoadBalancerSourceRanges));

    public static bool Same(EndpointSlice a, EndpointSlice b) =>
        ReferenceEquals(a, b)
        || (a with { Ports = [], Endpoints = [] } == b with { Ports = [], Endpoints = [] }
            && a.Ports.SequenceEqual(b.Ports)
            && a.Endpoints.Length == b.Endpoints.Length
            && a.Endpoints.Zip(b.Endpoints).All(pair => Same(pair.First, pair.Second)));

    public static bool Same(Endpoint a, Endpoint b) =>
        ReferenceEquals(a, b)
        || (a with { ZoneHints = [], NodeHints = [] } == b with { ZoneHints = [], NodeHints = [] }
            && a.ZoneHints.SequenceEqual(b.ZoneHints)
            && a.NodeHints.SequenceEqual(b.NodeHints));

    public static bool Same(Node a, Node b) =>
        ReferenceEquals(a, b)
        || (a with { Addresses = [], PodCidrs = [] } == b with { Addresses = [], PodCidrs = [] }
            && a.Addresses.SequenceEqual(b.Addresses)
            && a.PodCidrs.SequenceEqual(b.PodCidrs));
}
