using System.Collections.Concurrent;

namespace EdgeMesh.Quic;

/// <summary>The stateless reset tokens of all peers: a reset names no connection, it may come to any of the endpoints on a port.</summary>
public sealed class QuicResetTokens
{
    internal ConcurrentDictionary<UInt128, QuicConnection> Connections { get; } = new();
}
