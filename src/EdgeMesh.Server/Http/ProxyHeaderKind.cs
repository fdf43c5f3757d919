namespace EdgeMesh.Server.Http;

/// <summary>What the first bytes of a connection are.</summary>
internal enum ProxyHeaderKind
{
    /// <summary>No PROXY header: the connection itself.</summary>
    None,

    /// <summary>The beginning of one.</summary>
    Incomplete,

    /// <summary>One that says what it must.</summary>
    Read,

    /// <summary>Something that begins like one.</summary>
    Malformed,
}
