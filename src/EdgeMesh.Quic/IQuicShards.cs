namespace EdgeMesh.Quic;

/// <summary>
/// The endpoints that share one UDP port, each on a reactor of its own. A connection stays where it began. The ids that an endpoint
/// gives out name it (<see cref="UdpSteering"/>), so what comes to the wrong one is seldom: a dial's first packets, a reset, a train
/// that mixes peers. Any thread.
/// </summary>
public interface IQuicShards
{
    /// <summary>1 to <see cref="UdpSteering.MaxSockets"/>.</summary>
    int Count { get; }

    QuicResetTokens ResetTokens { get; }

    /// <summary>Where the dials of the peer with that tag (<see cref="QuicEndpointOptions.ClientTag"/>, told by whoever dials) belong.</summary>
    int ShardOf(ulong clientTag);

    /// <summary>To be given to that endpoint's <see cref="QuicEndpoint.Receive"/>, on its reactor. Valid during the call only.</summary>
    void HandOver(int shard, Span<byte> datagram);
}
