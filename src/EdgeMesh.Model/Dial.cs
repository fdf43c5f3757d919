using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Model;

/// <summary>What one connection or flow is for: the endpoint to reach on another node, and who asks.</summary>
/// <param name="Node">Node the endpoint runs on: pods of different nodes may have the same address.</param>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="Endpoint">Address and port of the endpoint.</param>
/// <param name="Service">Service the client called.</param>
/// <param name="Client">Address and port of the client.</param>
public readonly record struct DialTarget(
    NodeName Node, TransportProtocol Protocol, IPEndPoint Endpoint, ServiceName Service, IPEndPoint Client);

/// <summary>Why an endpoint could not be reached. All but <see cref="Lost"/> promise that no payload was delivered.</summary>
public enum DialStatus : byte
{
    /// <summary>The endpoint accepted.</summary>
    Ok = 0,

    /// <summary>The endpoint refused (RST).</summary>
    Refused = 1,

    /// <summary>The far node has no route to the endpoint, or it did not answer in time.</summary>
    Unreachable = 2,

    /// <summary>The far node does not have this endpoint (any more).</summary>
    NotMine = 3,

    /// <summary>The far node is at a limit (files, streams).</summary>
    Busy = 4,

    /// <summary>The far node itself could not be reached and no payload byte left this agent.</summary>
    PeerUnreachable = 5,

    /// <summary>Silence or a broken peer after payload was sent: nobody knows what was delivered, the client is reset.</summary>
    Lost = 6,
}

/// <summary>End of one attempt to forward a TCP connection to a peer.</summary>
/// <param name="Status"><see cref="DialStatus.Ok"/>: the connection ran and is over, the socket is closed. Anything else: it never began.</param>
/// <param name="Unsent">With a status that promises non-delivery: what the client had sent so far, to be replayed to the next endpoint.</param>
/// <param name="BytesToPeer">Payload bytes towards the endpoint.</param>
/// <param name="BytesFromPeer">Payload bytes towards the client.</param>
public readonly record struct TcpForwardResult(
    DialStatus Status, ReadOnlyMemory<byte> Unsent, long BytesToPeer, long BytesFromPeer);

/// <summary>
/// Carries a client's TCP connection to an endpoint on another node and returns when it is over: half-close as half-close,
/// RST as RST, back-pressure both ways. The payload follows the header at once; bytes read from the client before the far
/// agent's status are kept, so that a negative status gives them back.
/// <para>The socket belongs to the callee while it runs. With <see cref="DialStatus.Ok"/> or <see cref="DialStatus.Lost"/> it has
/// been closed; otherwise it is the caller's again, readable and writable, nothing of it lost.</para>
/// </summary>
/// <param name="target">Where to.</param>
/// <param name="client">The accepted connection. No asynchronous operation may have been started on it.</param>
/// <param name="replay">Bytes an earlier attempt had read from the client.</param>
/// <param name="stop">Aborts the attempt while no status has come; a running connection is reset.</param>
public delegate ValueTask<TcpForwardResult> TcpForward(
    DialTarget target, Socket client, ReadOnlyMemory<byte> replay, CancellationToken stop);

/// <summary>What kind of way leads to a peer, nearest first.</summary>
public enum PeerTier : byte
{
    /// <summary>In a subnet of ours.</summary>
    Lan,

    /// <summary>Through NATs, but without a server between.</summary>
    Direct,

    Relay,

    /// <summary>Not connected: nothing was measured.</summary>
    Unknown,
}

/// <summary>How far away a peer is on the path in use.</summary>
/// <param name="Tier">The kind of path.</param>
/// <param name="RoundTrip">As measured by the traffic on it; zero if <see cref="PeerTier.Unknown"/>.</param>
public readonly record struct PeerDistance(PeerTier Tier, TimeSpan RoundTrip);

/// <summary>Never waits; from any thread.</summary>
public delegate PeerDistance PeerDistanceOf(NodeName node);

/// <summary>Receives one datagram of a flow. The span is valid only during the call; the call must not block.</summary>
public delegate void DatagramReceiver(ReadOnlySpan<byte> payload);

/// <summary>A UDP flow (client, Service port) to an endpoint on another node.</summary>
public abstract class UdpFlow : IDisposable
{
    /// <summary>
    /// Sends one datagram of up to 65,507 bytes; boundaries are kept. Never blocks: what does not fit the bounded queue is
    /// dropped and counted, as on any network. May be called from any thread.
    /// </summary>
    public abstract void Send(ReadOnlySpan<byte> payload);

    /// <summary>Not <see cref="DialStatus.Ok"/> once the far agent has refused the flow or its peer is gone: open another.</summary>
    public abstract DialStatus Status { get; }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>Opens a flow; replies go to <paramref name="receiver"/> on the tunnel's thread.</summary>
public delegate UdpFlow UdpForward(DialTarget target, DatagramReceiver receiver);

/// <summary>
/// Calls <paramref name="readable"/> on the thread that also carries connections to peers, whenever the socket can be read and
/// until the result, which owns the socket, is disposed. So a client's packet is on its way without a change of threads.
/// </summary>
/// <param name="socket">Read only when it is told to be readable, or not blocking.</param>
/// <param name="readable">Must not block; what it leaves unread leads to another call.</param>
public delegate IDisposable SocketWatch(Socket socket, Action readable);
