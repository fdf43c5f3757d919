namespace EdgeMesh.Quic;

public sealed record QuicEndpointOptions
{
    public string Alpn { get; init; } = "edgemesh/1";

    /// <summary>32 secret bytes that survive a restart: stateless reset tokens are derived from them.</summary>
    public required ReadOnlyMemory<byte> ResetSecret { get; init; }

    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes a peer may have in flight to us on one connection: bandwidth × round trip.</summary>
    public int ConnectionWindow { get; init; } = 16 << 20;

    public int StreamWindow { get; init; } = 8 << 20;

    /// <summary>The most a stream's send ring may grow to.</summary>
    public int MaxSendRing { get; init; } = 8 << 20;

    /// <summary>Streams a peer may have open at a time.</summary>
    public int MaxStreams { get; init; } = 4096;

    public int MaxConnections { get; init; } = 4096;

    public QuicCongestionControl CongestionControl { get; init; } = QuicCongestionControl.Bbr;
}
