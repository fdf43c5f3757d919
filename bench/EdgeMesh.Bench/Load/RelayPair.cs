using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>A flow through the relay: what one agent wants to send another.</summary>
/// <param name="From">Sends.</param>
/// <param name="To">Counts what comes.</param>
/// <param name="Share">Of the load's rate per pair: 4 is an agent that wants four times as much.</param>
internal sealed record RelayPair(SimulatedAgent From, SimulatedAgent To, double Share)
{
    /// <summary>Datagrams of a train, as QUIC with pacing makes them at such rates.</summary>
    private const int Frames = 8;

    private const int FrameLength = RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload;

    /// <summary>Largest train, headers included.</summary>
    public const int MaxTrain = Frames * FrameLength;

    public const int TrainPayload = Frames * RelayFrame.MaxUdpPayload;

    /// <summary>Payload bytes that were due. In the sender's loop.</summary>
    public double Due { get; set; }

    /// <summary>Payload bytes handed to the kernel or the WebSocket's queue.</summary>
    public long Offered { get; private set; }

    /// <summary>In the sender's loop.</summary>
    /// <param name="train">Room for <see cref="MaxTrain"/>; what the payload is does not matter.</param>
    public void Send(Span<byte> train)
    {
        for (int at = 0; at < MaxTrain; at += FrameLength)
        {
            new RelayFrame(To.Address, From.Session).WriteHeader(train[at..]);
        }

        if (From.UsesUdp)
        {
            From.Leg.Send(train[..MaxTrain], FrameLength);
            Offered += TrainPayload;
            return;
        }

        for (int at = 0; at < MaxTrain; at += FrameLength)
        {
            Offered += From.TrySend(train.Slice(at, FrameLength)) ? RelayFrame.MaxUdpPayload : 0;
        }
    }
}
