namespace EdgeMesh.Lab;

/// <summary>Where a MetaServer's lists come from.</summary>
public enum MetaServerMode
{
    /// <summary>From the cloud: <c>resourceVersion</c>, no <c>selfLink</c>.</summary>
    Cloud,

    /// <summary>The node's own database: with <c>selfLink</c>, perhaps with ghosts.</summary>
    Local,

    /// <summary>Nothing is known: no <c>metadata</c> at all.</summary>
    Unknown,
}
