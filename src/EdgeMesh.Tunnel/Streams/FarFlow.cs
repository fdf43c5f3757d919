using System.Net;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>The endpoint's end of a peer's UDP flow: one socket that speaks with one endpoint. In the loop only.</summary>
internal sealed class FarFlow : IDisposable
{
    // A flow rarely holds more than a burst; the default of several MB per socket is for the tunnel's own.
    private const int SocketBufferBytes = 1024 * 1024;
    private const long UnrepliedIdle = 30_000_000_000;
    private const long RepliedIdle = 120_000_000_000;

    private readonly FlowTable table;
    private readonly UdpSocket socket;
    private readonly UdpAddress endpoint;
    private readonly Reassembly reassembly = new();
    private long lastUsed;
    private bool replied;

    /// <exception cref="System.Net.Sockets.SocketException">No socket could be had.</exception>
    public FarFlow(FlowTable table, Reactor reactor, uint id, WireAddress to, WireAddress client, int mark)
    {
        this.table = table;
        Id = id;
        Target = to;
        Client = client;
        EndPoint = to.ToEndPoint();
        endpoint = UdpAddress.From(EndPoint);
        IPAddress any = to.Family == 6 ? IPAddress.IPv6Any : IPAddress.Any;
        socket = UdpSocket.Open(
            reactor, new IPEndPoint(any, 0), new UdpSocketOptions { Mark = mark, BufferBytes = SocketBufferBytes, DontFragment = false }, OnDatagrams);
        lastUsed = reactor.Now;
    }

    public uint Id { get; }

    public WireAddress Target { get; }

    public WireAddress Client { get; }

    public IPEndPoint EndPoint { get; }

    /// <summary>The number of its socket's file.</summary>
    public int Descriptor => socket.Descriptor;

    public bool IsIdle(long now) => now - lastUsed > (replied ? RepliedIdle : UnrepliedIdle);

    public void Receive(in FlowDatagram datagram, long now)
    {
        lastUsed = now;
        if (!datagram.Flags.HasFlag(FlowFlags.Fragment))
        {
            SendOn(datagram.Payload);
            return;
        }

        ReadOnlySpan<byte> whole = reassembly.Add(datagram);
        if (!whole.IsEmpty)
        {
            SendOn(whole);
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        reassembly.Dispose();
    }

    private void SendOn(ReadOnlySpan<byte> payload) => _ = socket.Send(endpoint, payload, Math.Max(1, payload.Length));

    private void OnDatagrams(in UdpAddress from, Span<byte> train, int segmentSize)
    {
        if (from != endpoint)
        {
            return;
        }

        replied = true;
        lastUsed = table.Now;
        if (train.IsEmpty)
        {
            table.Reply(this, train);
        }

        for (int at = 0; at < train.Length; at += segmentSize)
        {
            table.Reply(this, train.Slice(at, Math.Min(segmentSize, train.Length - at)));
        }
    }
}
