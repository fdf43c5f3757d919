namespace EdgeMesh.Tunnel.Wire;

public static class PacketKinds
{
    /// <summary>Version of our own messages: the upper half of their second byte.</summary>
    public const byte Version = 1;

    internal const byte VersionByte = Version << 4;
    internal const byte ProbeByte = 0x04;
    internal const byte RelayDataByte = 0x08;
    internal const byte RelayHelloByte = 0x09;
    internal const byte RelayHelloAnswerByte = 0x0A;
    internal const byte PeerGoneByte = 0x0B;
    internal const byte HelloWantedByte = 0x0C;

    public static PacketKind Of(ReadOnlySpan<byte> datagram) => datagram.IsEmpty
        ? PacketKind.Unknown
        : datagram[0] switch
        {
            <= 3 => PacketKind.Stun,
            ProbeByte => PacketKind.Probe,
            RelayDataByte => PacketKind.RelayData,
            RelayHelloByte => PacketKind.RelayHello,
            RelayHelloAnswerByte => PacketKind.RelayHelloAnswer,
            PeerGoneByte => PacketKind.PeerGone,
            HelloWantedByte => PacketKind.HelloWanted,
            (>= 64 and <= 127) or >= 192 => PacketKind.Quic,
            _ => PacketKind.Unknown,
        };

    /// <summary>
    /// True if the datagram is a message of ours in a version this program does not speak; such a one is dropped and its
    /// version logged.
    /// </summary>
    public static bool IsForeignVersion(ReadOnlySpan<byte> datagram, out int version)
    {
        version = datagram.Length > 1 ? datagram[1] >> 4 : 0;
        return datagram.Length > 1 && datagram[0] is >= ProbeByte and <= HelloWantedByte && version != Version;
    }
}
