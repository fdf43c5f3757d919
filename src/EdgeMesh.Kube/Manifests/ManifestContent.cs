using System.Collections.Immutable;

namespace EdgeMesh.Kube;

/// <summary>What one reading of a file gave: its objects, or why it is not to be used.</summary>
internal sealed record ManifestContent(ImmutableArray<MappedObject> Objects, ImmutableArray<Fault> Faults)
{
    public static readonly ManifestContent Empty = new([], []);

    /// <summary>A file is used whole or not at all: half of it would be a state that nobody wrote.</summary>
    public bool IsBroken => Faults.Any(static fault => !fault.IsWarning);
}
