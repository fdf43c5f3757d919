using System.Collections.Immutable;

namespace EdgeMesh.Model;

/// <summary>
/// What is known under one Service name: the Service, its slices, or (for a moment) slices whose Service has not come yet.
/// </summary>
public sealed record ServiceState(ServiceName Name, Service? Service, ImmutableArray<EndpointSlice> Slices)
{
    /// <summary>In the order of their keys; the first counts.</summary>
    public ImmutableArray<BalancingRule> Rules { get; init; } = [];
}
