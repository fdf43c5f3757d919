namespace EdgeMesh.Lab;

/// <summary>What two kinds of NAT allow.</summary>
public enum Expectation
{
    /// <summary>Direct every time.</summary>
    Direct,

    /// <summary>Direct when a guessed port is hit.</summary>
    Lucky,

    /// <summary>No datagram can pass between them; or both sides would have to guess.</summary>
    Relayed,
}
