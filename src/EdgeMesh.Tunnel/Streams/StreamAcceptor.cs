using System.Net;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>What this agent does for its peers: it dials current endpoints of its own node and nothing else.</summary>
/// <param name="IsLocalEndpoint">Whether an address and port is a current endpoint of this node.</param>
/// <param name="SocketMark">SO_MARK of the sockets towards endpoints.</param>
/// <param name="MaxStreams">Service streams from all peers together; past it a stream is answered with <see cref="DialStatus.Busy"/>.</param>
/// <param name="MaxFlows">UDP flows from one peer.</param>
internal sealed record StreamAcceptor(
    Func<TransportProtocol, IPEndPoint, bool> IsLocalEndpoint, int SocketMark, int MaxStreams = 30_000, int MaxFlows = 16_384)
{
    /// <summary>Streams accepted and not over. In the loop only.</summary>
    public int OpenStreams { get; set; }

    /// <summary>Answers given to peers, by status. In the loop only.</summary>
    public long[] Answers { get; } = new long[(int)DialStatus.Lost + 1];
}
