namespace EdgeMesh.Quic;

/// <summary>Why a connection ended.</summary>
public enum QuicCloseKind
{
    /// <summary>We closed it.</summary>
    Local,

    /// <summary>The peer closed it (CONNECTION_CLOSE).</summary>
    Peer,

    /// <summary>Silence for the idle time-out.</summary>
    Idle,

    /// <summary>The handshake did not end in time.</summary>
    HandshakeTimeout,

    /// <summary>The peer does not know the connection any more (stateless reset).</summary>
    Reset,

    /// <summary>A certificate or TLS parameter was refused, by us or by the peer; the code is the alert.</summary>
    Tls,

    /// <summary>A fault of the protocol or of the library.</summary>
    Error,
}
