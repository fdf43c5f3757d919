using EdgeMesh.Model;
using EdgeMesh.Quic;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>Something that waits for a stream to a peer. In the loop only.</summary>
internal interface IStreamUser
{
    /// <summary>The peer is connected: this stream is the user's.</summary>
    /// <param name="stream">Open, nothing sent on it.</param>
    /// <param name="holdPayload">The peer was not heard of lately and may have restarted: send payload only after the status.</param>
    /// <param name="over">To be called once, when the stream is over.</param>
    void Start(QuicStream stream, bool holdPayload, Action over);

    /// <summary>No stream could be had.</summary>
    void Fail(DialStatus status);

    /// <summary>Nobody waits any more.</summary>
    bool IsOver { get; }
}
