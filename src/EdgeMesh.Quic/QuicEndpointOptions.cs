namespace EdgeMesh.Quic;

public sealed record QuicEndpointOptions
{
    public string Alpn { get; init; } = "edgemesh/1";

    /// <summary>32 secret bytes that survive a restart: stateless reset tokens are derived from them.</summary>
    public required ReadOnlyMemory<byte> ResetSecret { get; init; }

    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Bytes that a peer may have sent on all streams of a connection and that their readers have not taken: the memory it can
    /// make us hold. When readers that have stopped hold all of it, every stream waits for them.
    /// </summary>
    public int ConnectionWindow { get; init; } = 64 << 20;

    /// <summary>The same for one stream, at first.</summary>
    public int StreamWindow { get; init; } = 128 << 10;

    /// <summary>What it may grow to while its reader keeps pace: bandwidth × round trip, and as much again.</summary>
    public int MaxStreamWindow { get; init; } = 16 << 20;

    /// <summary>The most a stream's send ring may grow to.</summary>
    public int MaxSendRing { get; init; } = 8 << 20;

    /// <summary>Streams a peer may have open at a time.</summary>
    public int MaxStreams { get; init; } = 16_384;

    public int MaxConnections { get; init; } = 4096;

    /// <summary>
    /// The largest datagram any path may carry, 1,200 to 16,000. It is also the segment size congestion control reckons with: BBR
    /// keeps at least 30 of them in flight, so large values belong to fast paths only. A connection's datagrams are as large as
    /// its output says, but never larger than this.
    /// </summary>
    public int MaxDatagramSize { get; init; } = 1452;

    /// <summary>
    /// Whether a peer's certificate must be valid by the system clock. False leaves both its dates to
    /// <see cref="IQuicHandler.OnPeerCertificate"/>: for boards that boot in 1970 and for a grace after the end.
    /// </summary>
    public bool CheckCertificateTimes { get; init; } = true;

    /// <summary>
    /// Grain of the clock that congestion control sees, ns (docs/decisions/quic-clock.md): round trips shorter than this look
    /// this long, which keeps the window of a pair that only exchanged small requests from pinning at 40 kB.
    /// </summary>
    public long ClockGrain { get; init; } = 500_000;

    /// <summary>Handshakes of strangers under way at a time: each holds some 100 kB before anybody has proved anything.</summary>
    public int MaxHandshakes { get; init; } = 256;

    public QuicCongestionControl CongestionControl { get; init; } = QuicCongestionControl.Bbr;

    /// <summary>Its place among the endpoints that share one UDP port; 0 if it has the port to itself.</summary>
    public int Shard { get; init; }

    /// <summary>Told to a peer in the first packet of a dial, in clear: <see cref="IQuicShards.ShardOf"/> goes by it.</summary>
    public ulong ClientTag { get; init; }
}
