namespace EdgeMesh.Tunnel.Wire;

/// <summary>From the server: the destination of a data frame is not connected to it. <c>0B 10</c>, mesh address (8).</summary>
public static class PeerGone
{
    public const int Length = 10;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out MeshAddress address)
    {
        WireReader reader = new(datagram);
        bool good = reader.TryStart(PacketKinds.PeerGoneByte, out _) & reader.TryUInt64(out ulong value) && reader.Rest.IsEmpty;
        address = good ? new MeshAddress(value) : default;
        return good;
    }

    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public static int Write(Span<byte> target, MeshAddress address)
    {
        WireWriter writer = new(target);
        writer.Byte(PacketKinds.PeerGoneByte);
        writer.Byte(PacketKinds.VersionByte);
        writer.UInt64(address.Value);
        return writer.Length;
    }
}
