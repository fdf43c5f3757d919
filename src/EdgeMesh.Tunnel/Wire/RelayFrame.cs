using System.Buffers.Binary;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// Relayed data, as a datagram or a record of a WebSocket message: <c>08 10</c>, mesh address (8), session (8; zero from the
/// server), payload. The header is as long either way, so a server rewrites it in place.
/// </summary>
/// <param name="Address">Destination when it goes to the server, source when it comes from there.</param>
/// <param name="Session">Session of the sending agent; 0 from the server.</param>
public readonly record struct RelayFrame(MeshAddress Address, ulong Session)
{
    public const int HeaderLength = 18;

    /// <summary>Largest payload when one of the two legs is UDP.</summary>
    public const int MaxUdpPayload = 1200;

    /// <summary>Largest payload when both legs are WebSocket.</summary>
    public const int MaxWebSocketPayload = 16000;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out RelayFrame frame)
    {
        frame = default;
        WireReader reader = new(datagram);
        if (!reader.TryStart(PacketKinds.RelayDataByte, out _)
            || !reader.TryUInt64(out ulong address)
            || !reader.TryUInt64(out ulong session))
        {
            return false;
        }

        frame = new RelayFrame(new MeshAddress(address), session);
        return true;
    }

    /// <summary>Writes the header into the first 18 bytes; the payload stands or goes behind it.</summary>
    public void WriteHeader(Span<byte> target)
    {
        target[0] = PacketKinds.RelayDataByte;
        target[1] = PacketKinds.VersionByte;
        BinaryPrimitives.WriteUInt64BigEndian(target[2..], Address.Value);
        BinaryPrimitives.WriteUInt64BigEndian(target[10..], Session);
    }
}
