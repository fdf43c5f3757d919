namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// From the server: relayed data of this session came from an address that has said no hello; a NAT has mapped the agent anew.
/// <c>0C 10</c>, session (8). It is not authenticated: it only makes the agent say hello sooner.
/// </summary>
public static class HelloWanted
{
    public const int Length = 10;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out ulong session)
    {
        WireReader reader = new(datagram);
        return reader.TryStart(PacketKinds.HelloWantedByte, out _) & reader.TryUInt64(out session) && reader.Rest.IsEmpty;
    }

    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public static int Write(Span<byte> target, ulong session)
    {
        WireWriter writer = new(target);
        writer.Byte(PacketKinds.HelloWantedByte);
        writer.Byte(PacketKinds.VersionByte);
        writer.UInt64(session);
        return writer.Length;
    }
}
