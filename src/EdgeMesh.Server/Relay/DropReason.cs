namespace EdgeMesh.Server.Relay;

/// <summary>Why something from the network went nowhere; the names are the labels of the metric.</summary>
internal enum DropReason
{
    /// <summary>No message of ours, or one that is cut short.</summary>
    Malformed,

    /// <summary>A message of ours in another version.</summary>
    Version,

    /// <summary>No session with this id, or a hello whose MAC is wrong.</summary>
    Session,

    /// <summary>From a UDP address the session is not bound to.</summary>
    Address,

    /// <summary>The destination is not connected.</summary>
    PeerGone,

    /// <summary>Too large for a receiver's UDP leg.</summary>
    TooBig,

    /// <summary>More than one agent may send.</summary>
    AgentRate,

    /// <summary>More than the sender's share while all want more than there is.</summary>
    FairShare,

    /// <summary>More than all agents together may send.</summary>
    TotalRate,

    /// <summary>The oldest of a full queue.</summary>
    QueueFull,

    /// <summary>The kernel's send buffer was full, or the network refused.</summary>
    SocketFull,
}
