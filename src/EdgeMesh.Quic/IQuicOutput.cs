namespace EdgeMesh.Quic;

/// <summary>Where a connection's datagrams go: the path of the moment. In the loop only.</summary>
public interface IQuicOutput
{
    /// <summary>Bytes left free in front of each datagram of a train for the path's own header.</summary>
    int HeaderRoom { get; }

    /// <summary>The path's limit for the QUIC datagram itself, without <see cref="HeaderRoom"/>: 1,200 to 16,000. May change at any time.</summary>
    int MaxDatagramSize { get; }

    /// <summary>Sends a train; it may be overwritten and is valid only during the call.</summary>
    /// <param name="segmentSize">Length of each datagram with its <see cref="HeaderRoom"/>; the last may be shorter.</param>
    /// <returns>false: no room, nothing was sent; the connection keeps the train and waits for <see cref="QuicConnection.OutputWritable"/>.</returns>
    bool Send(Span<byte> train, int segmentSize);
}
