using System.Net;
using EdgeMesh.Model;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>What this agent does for its peers: it dials current endpoints of its own node and nothing else. Any thread.</summary>
/// <param name="IsLocalEndpoint">Whether an address and port is a current endpoint of this node.</param>
/// <param name="SocketMark">SO_MARK of the sockets towards endpoints.</param>
/// <param name="Files">What of this process's open files they leave alone.</param>
/// <param name="Log">Told when files run short.</param>
/// <param name="MaxStreams">Service streams from all peers together; past it a stream is answered with <see cref="DialStatus.Busy"/>.</param>
/// <param name="MaxFlows">UDP flows from one peer.</param>
internal sealed record StreamAcceptor(
    Func<TransportProtocol, IPEndPoint, bool> IsLocalEndpoint, int SocketMark, FileReserve Files, ILogger Log, int MaxStreams = 30_000, int MaxFlows = 16_384)
{
    private int openStreams;

    /// <summary>Answers given to peers, by status.</summary>
    public long[] Answers { get; } = new long[(int)DialStatus.Lost + 1];

    /// <summary>More streams are open than may be.</summary>
    public bool IsFull => Volatile.Read(ref openStreams) > MaxStreams;

    /// <summary>A socket's number belongs to the reserve: it is to be closed, and the peer told that this node is busy.</summary>
    public bool IsReserved(int descriptor)
    {
        bool isReserved = Files.IsNear(descriptor);
        if (isReserved && Files.IsTimeToTell())
        {
            TunnelLog.FilesShort(Log, Files.Files);
        }

        return isReserved;
    }

    public void Begin() => Interlocked.Increment(ref openStreams);

    public void End() => Interlocked.Decrement(ref openStreams);

    public void Count(DialStatus answer, int change = 1) => Interlocked.Add(ref Answers[(int)answer], change);
}
