using System.Collections.Immutable;

namespace EdgeMesh.Proxy.Choice;

/// <summary>Endpoints that the kernel alone draws from, or why there is none.</summary>
internal sealed record ChosenArms(PortAction Action, ImmutableArray<PlannedEndpoint> Endpoints)
{
    public static readonly ChosenArms None = new(PortAction.Reject, []);
}
