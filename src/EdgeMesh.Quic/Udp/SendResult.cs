namespace EdgeMesh.Quic;

/// <summary>What became of a train.</summary>
public enum SendResult
{
    Sent,

    /// <summary>The socket buffer is full: nothing of it was sent. <see cref="UdpSocket.Writable"/> is raised when there is room.</summary>
    WouldBlock,

    /// <summary>A segment is larger than the interface allows.</summary>
    TooBig,

    /// <summary>No route, network down, or refused by a rule.</summary>
    Unreachable,
}
