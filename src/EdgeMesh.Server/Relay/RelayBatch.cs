using System.Buffers;

using EdgeMesh.Server.Sessions;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Server.Relay;

/// <summary>
/// Frames from a WebSocket on their way to one UDP leg: a train, filled by the receiver of the sending session and then handed
/// to the reactor, which sends it and gives the buffer back. All frames but the last have one length.
/// </summary>
internal sealed class RelayBatch
{
    /// <summary>UDP_MAX_SEGMENTS of the kernel's GSO is 64, and a train must fit one IP packet's length field.</summary>
    private const int MaxFrames = 50;

    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxFrames * (RelayFrame.HeaderLength + RelayFrame.MaxUdpPayload));
    private int segmentSize;
    private bool isEnded;

    public RelayBatch(RelaySource source, Session destination)
    {
        Source = source;
        Destination = destination;
    }

    public RelaySource Source { get; }

    public Session Destination { get; }

    public int Frames { get; private set; }

    public int Length { get; private set; }

    public int SegmentSize => segmentSize;

    public Span<byte> Train => buffer.AsSpan(0, Length);

    /// <summary>False when the frame does not fit this train: send it and begin another.</summary>
    public bool TryAdd(ReadOnlySpan<byte> frame)
    {
        if (Frames == 0)
        {
            segmentSize = frame.Length;
        }
        else if (isEnded || Frames == MaxFrames || frame.Length > segmentSize)
        {
            return false;
        }

        isEnded = frame.Length < segmentSize;
        frame.CopyTo(buffer.AsSpan(Length));
        Length += frame.Length;
        Frames++;
        return true;
    }

    /// <summary>Gives the buffer back; the batch must not be used again.</summary>
    public void Return() => ArrayPool<byte>.Shared.Return(buffer);
}
