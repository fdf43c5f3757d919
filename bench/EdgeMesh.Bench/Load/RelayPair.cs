using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Bench.Load;

/// <summary>A flow through the relay: what one agent wants to send another.</summary>
/// <param name="From">Sends.</param>
/// <param name="To">Counts what comes.</param>
/// <param name="Share">Of the load's rate per pair: 8 is an agent that wants eight times as much, less than 1 one that wants less than all get.</param>
internal sealed record RelayPair(SimulatedAgent From, SimulatedAgent To, double Share)
{
    /// <summary>Datagrams of a train, as QUIC with pacing makes them at such rates.</summary>
    private const int Frames = 2;

    private const int FrameLength = RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload;

    /// <summary>Room that <see cref="Send"/> needs.</summary>
    public const int TrainLength = Frames * FrameLength;

    public const int TrainPayload = Frames * RelayFrame.MaxUdpPayload;

    public bool IsModest => Share < 1;

    /// <summary>Payload bytes that were due. In the sender's loop.</summary>
    public double Due { get; set; }

    /// <summary>Payload bytes handed to the kernel or the WebSocket's queue.</summary>
    public long Offered { get; private set; }

    /// <summary>In the sender's loop. Whatever else is in the train is payload.</summary>
    public void Send(Span<byte> train)
    {
        for (int at = 0; at < TrainLength; at += FrameLength)
        {
            new RelayFrame(To.Address, From.Session).WriteHeader(train[at..]);
        }

        if (From.UsesUdp)
        {
            From.Leg.Send(train, FrameLength);
            Offered += TrainPayload;
            return;
        }

        for (int at = 0; at < TrainLength; at += FrameLength)
        {
            Offered += From.TrySend(train.Slice(at, FrameLength)) ? RelayFrame.MaxUdpPayload : 0;
        }
    }
}
