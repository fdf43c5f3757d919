using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>Cuts a datagram to what fits a QUIC DATAGRAM frame now and queues it. In the loop only.</summary>
internal sealed class FlowSender
{
    private readonly byte[] scratch = new byte[4096];
    private ushort nextMessage;

    /// <summary>Datagrams that did not fit the connection's bounded queue.</summary>
    public long Dropped { get; private set; }

    /// <param name="connection">A connected connection.</param>
    /// <param name="flow">Flow id.</param>
    /// <param name="header">Service header to send along (<see cref="FlowFlags.Open"/>), or empty.</param>
    /// <param name="payload">The datagram.</param>
    public void Send(QuicConnection connection, uint flow, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        FlowFlags flags = header.IsEmpty ? FlowFlags.None : FlowFlags.Open;
        int limit = Math.Min(connection.MaxDatagramPayload, scratch.Length);
        int whole = FlowDatagram.MinLength + header.Length + payload.Length;
        if (whole <= limit)
        {
            Queue(connection, flow, flags, header, 0, 0, 0, payload);
            return;
        }

        int room = limit - FlowDatagram.MinLength - header.Length - FlowDatagram.FragmentLength;
        int count = room > 0 ? (payload.Length + room - 1) / room : int.MaxValue;
        if (count > byte.MaxValue)
        {
            Dropped++;
            return;
        }

        ushort message = nextMessage++;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> piece = payload[(i * room)..Math.Min(payload.Length, (i + 1) * room)];
            Queue(connection, flow, flags | FlowFlags.Fragment, header, message, (byte)i, (byte)count, piece);
        }
    }

    public void Tell(QuicConnection connection, uint flow, FlowFlags flags, Model.DialStatus status)
    {
        FlowDatagram datagram = new() { Flow = flow, Flags = flags, Status = status };
        int length = datagram.Write(scratch);
        _ = connection.TrySendDatagram(scratch.AsSpan(0, length));
    }

    private void Queue(
        QuicConnection connection, uint flow, FlowFlags flags, ReadOnlySpan<byte> header, ushort message, byte index, byte count, ReadOnlySpan<byte> piece)
    {
        WireWriter writer = new(scratch);
        writer.UInt32(flow);
        writer.Byte((byte)flags);
        writer.Bytes(header);
        if (flags.HasFlag(FlowFlags.Fragment))
        {
            writer.UInt16(message);
            writer.Byte(index);
            writer.Byte(count);
        }

        writer.Bytes(piece);
        if (writer.Length == 0 || !connection.TrySendDatagram(scratch.AsSpan(0, writer.Length)))
        {
            Dropped++;
        }
    }
}
