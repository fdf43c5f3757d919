namespace EdgeMesh.Quic;

/// <summary>What a connection tells its owner. Called in the loop; every method may use the connection and its streams.</summary>
public interface IQuicHandler
{
    /// <summary>The peer's certificate chains to our CA. Is it the peer we want?</summary>
    /// <returns>false refuses the handshake.</returns>
    bool OnPeerCertificate(QuicConnection connection, ReadOnlySpan<byte> leafDer);

    /// <summary>
    /// Both sides have accepted each other: handshake confirmed on the client, or only completed where it resumed a session;
    /// completed on the server.
    /// </summary>
    void OnConnected(QuicConnection connection);

    /// <summary>The peer opened a stream: set <see cref="QuicStream.Handler"/> here, or the stream is refused.</summary>
    void OnStreamOpened(QuicConnection connection, QuicStream stream);

    void OnDatagram(QuicConnection connection, ReadOnlySpan<byte> payload);

    /// <summary>
    /// Client: what <see cref="QuicEndpoint.Connect"/> may be given once for the next connection to this peer. A secret, some 2 kB.
    /// </summary>
    void OnTicket(QuicConnection connection, byte[] ticket)
    {
    }

    /// <summary>A stream may be opened again after <see cref="QuicConnection.OpenStream"/> gave null.</summary>
    void OnStreamsAvailable(QuicConnection connection)
    {
    }

    /// <summary>Exactly once, last, after the streams' own <see cref="IStreamHandler.OnClosed"/>.</summary>
    void OnClosed(QuicConnection connection, QuicCloseReason reason);
}
