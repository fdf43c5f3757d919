namespace EdgeMesh.Dns;

/// <summary>What is wrong with a query, and so what it deserves.</summary>
internal enum QueryFault : byte
{
    None,

    /// <summary>No answer at all: shorter than a header, or itself a response (answering those makes loops).</summary>
    Silence,
    Format,
    NotImplemented,
    BadVersion,
}
