namespace EdgeMesh.Proxy.Explain;

/// <summary>How a trial connection ended.</summary>
public enum DialFact : byte
{
    Connected,

    /// <summary>The host is there, nothing listens.</summary>
    Refused,

    /// <summary>No answer, or no way to the host.</summary>
    Silent,
}
