using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// One QUIC datagram of a UDP flow: flow id (4), flags (1), with <see cref="FlowFlags.Open"/> a Service header, with
/// <see cref="FlowFlags.Refused"/> a status byte, with <see cref="FlowFlags.Fragment"/> message (2), index (1), count (1); payload.
/// </summary>
internal readonly ref struct FlowDatagram
{
    /// <summary>Flow id and flags.</summary>
    public const int MinLength = 5;

    public const int FragmentLength = 4;

    public required uint Flow { get; init; }

    public required FlowFlags Flags { get; init; }

    /// <summary>Set with <see cref="FlowFlags.Open"/>.</summary>
    public ServiceHeader Header { get; init; }

    /// <summary>Set with <see cref="FlowFlags.Refused"/>.</summary>
    public DialStatus Status { get; init; }

    public ushort Message { get; init; }

    public byte Index { get; init; }

    /// <summary>Pieces of the message, at least 1 with <see cref="FlowFlags.Fragment"/>.</summary>
    public byte Count { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> datagram, out FlowDatagram flow)
    {
        flow = default;
        WireReader reader = new(datagram);
        if (!reader.TryUInt32(out uint id) || !reader.TryByte(out byte bits) || bits > 15)
        {
            return false;
        }

        FlowFlags flags = (FlowFlags)bits;
        ServiceHeader header = default;
        if (flags.HasFlag(FlowFlags.Open)
            && (!ServiceHeader.TryRead(reader.Rest, out header, out int length, out _) || !reader.TryBytes(length, out _)))
        {
            return false;
        }

        byte status = 0;
        if (flags.HasFlag(FlowFlags.Refused) && (flags != FlowFlags.Refused || !reader.TryByte(out status) || !reader.Rest.IsEmpty))
        {
            return false;
        }

        (ushort message, byte index, byte count) = (0, 0, 0);
        if (flags.HasFlag(FlowFlags.Fragment)
            && (!reader.TryUInt16(out message) || !reader.TryByte(out index) || !reader.TryByte(out count) || index >= count))
        {
            return false;
        }

        flow = new FlowDatagram
        {
            Flow = id,
            Flags = flags,
            Header = header,
            Status = StreamStatus.Read(status),
            Message = message,
            Index = index,
            Count = count,
            Payload = reader.Rest,
        };
        return true;
    }

    /// <returns>The length of the datagram; 0 if the target is too short.</returns>
    public int Write(Span<byte> target)
    {
        WireWriter writer = new(target);
        writer.UInt32(Flow);
        writer.Byte((byte)Flags);
        if (Flags.HasFlag(FlowFlags.Open))
        {
            Span<byte> header = stackalloc byte[ServiceHeader.MaxLength];
            writer.Bytes(header[..Header.Write(header)]);
        }

        if (Flags.HasFlag(FlowFlags.Refused))
        {
            writer.Byte(StreamStatus.Write(Status));
        }

        if (Flags.HasFlag(FlowFlags.Fragment))
        {
            writer.UInt16(Message);
            writer.Byte(Index);
            writer.Byte(Count);
        }

        writer.Bytes(Payload);
        return writer.Length;
    }
}
