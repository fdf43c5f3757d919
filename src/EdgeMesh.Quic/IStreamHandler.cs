namespace EdgeMesh.Quic;

/// <summary>What a stream tells its owner. Called in the loop.</summary>
public interface IStreamHandler
{
    /// <summary>The span is valid only during the call. The peer may send more only after <see cref="QuicStream.Consume"/>.</summary>
    void OnData(QuicStream stream, ReadOnlySpan<byte> data, bool fin);

    /// <summary>There is send room again after it was 0.</summary>
    void OnWritable(QuicStream stream);

    /// <summary>RESET_STREAM from the peer: nothing more comes.</summary>
    void OnReset(QuicStream stream, ulong code);

    /// <summary>STOP_SENDING from the peer: what we send is thrown away.</summary>
    void OnStopSending(QuicStream stream, ulong code);

    /// <summary>Both sides done, or the connection is gone. Last call.</summary>
    void OnClosed(QuicStream stream);
}
