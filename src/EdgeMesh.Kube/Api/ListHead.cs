namespace EdgeMesh.Kube;

/// <summary>What a list says of itself.</summary>
/// <param name="HasMetadata">False for the MetaServer's "unknown".</param>
/// <param name="ResourceVersion">Opaque; empty if there is none.</param>
/// <param name="Continue">Token of the next page, or empty.</param>
/// <param name="SelfLink">Set by the MetaServer on what comes from the node's own database.</param>
internal readonly record struct ListHead(bool HasMetadata, string ResourceVersion, string Continue, string SelfLink);
