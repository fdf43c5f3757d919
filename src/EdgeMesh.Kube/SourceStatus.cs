using System.Collections.Immutable;

namespace EdgeMesh.Kube;

/// <summary>How a source of the model does. Immutable; a new one replaces it.</summary>
/// <param name="Source">What is read, for the operator: <c>manifests /etc/edgemesh/manifests</c>.</param>
/// <param name="Synced">The source has been read completely at least once.</param>
/// <param name="Problems">What has to be mended, by file and line; empty when all is well.</param>
/// <param name="LastChange">When the source last changed the model; the default value before the first time.</param>
/// <param name="Files">Files in force.</param>
/// <param name="Services">Services in force.</param>
/// <param name="EndpointSlices">EndpointSlices in force.</param>
/// <param name="Nodes">Nodes in force.</param>
public sealed record SourceStatus(
    string Source,
    bool Synced,
    ImmutableArray<SourceProblem> Problems,
    DateTimeOffset LastChange,
    int Files,
    int Services,
    int EndpointSlices,
    int Nodes);
