using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>This node's end of a UDP flow to an endpoint of a peer. <see cref="Send"/> may be called from any thread, the rest in the loop.</summary>
internal sealed class NearFlow : UdpFlow
{
    private const int MaxWaitingBytes = 256 * 1024;

    private readonly FlowTable table;
    private readonly DatagramReceiver receiver;
    private readonly byte[] header;
    private readonly Queue<ReadOnlyMemory<byte>> waiting = [];
    private readonly Reassembly reassembly = new();
    private int waitingBytes;
    private int status;

    public NearFlow(FlowTable table, uint id, DialTarget target, DatagramReceiver receiver)
    {
        this.table = table;
        this.receiver = receiver;
        Id = id;
        Span<byte> bytes = stackalloc byte[ServiceHeader.MaxLength];
        header = bytes[..ForwardedTcp.HeaderOf(target, bytes)].ToArray();
    }

    public uint Id { get; }

    public override DialStatus Status => (DialStatus)Volatile.Read(ref status);

    private bool IsOpened { get; set; }

    public override void Send(ReadOnlySpan<byte> payload) => table.Enqueue(this, payload);

    internal void Push(QuicConnection? connection, FlowSender sender, ReadOnlySpan<byte> payload)
    {
        if (connection is { IsConnected: true })
        {
            sender.Send(connection, Id, IsOpened ? default : header, payload);
        }
        else if (waitingBytes + payload.Length <= MaxWaitingBytes)
        {
            waiting.Enqueue(payload.ToArray());
            waitingBytes += payload.Length;
            table.AskForConnection();
        }
    }

    /// <summary>A new connection knows nothing of this flow: it is opened there again.</summary>
    internal void Attached(QuicConnection connection, FlowSender sender)
    {
        IsOpened = false;
        while (waiting.TryDequeue(out ReadOnlyMemory<byte> payload))
        {
            sender.Send(connection, Id, header, payload.Span);
        }

        waitingBytes = 0;
    }

    internal void Receive(in FlowDatagram datagram)
    {
        if (datagram.Flags.HasFlag(FlowFlags.Refused))
        {
            End(datagram.Status);
            return;
        }

        IsOpened = true;
        if (datagram.Flags.HasFlag(FlowFlags.Fragment))
        {
            ReadOnlySpan<byte> whole = reassembly.Add(datagram);
            if (!whole.IsEmpty)
            {
                receiver(whole);
            }
        }
        else if (!datagram.Flags.HasFlag(FlowFlags.Opened) || !datagram.Payload.IsEmpty)
        {
            receiver(datagram.Payload);
        }
    }

    internal void End(DialStatus why) => Interlocked.CompareExchange(ref status, (int)why, (int)DialStatus.Ok);

    internal void Clear() => reassembly.Dispose();

    protected override void Dispose(bool disposing) => table.Close(this);
}
