namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// Binds the sender's UDP address to its WebSocket session: <c>09 10</c>, session (8), nonce (8), HMAC (16) under the session's
/// key.
/// </summary>
public readonly record struct RelayHello(ulong Session, ulong Nonce)
{
    public const int Length = 34;

    /// <summary>Reads without the key: the session tells which key <see cref="Verify"/> needs.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out RelayHello hello)
    {
        hello = default;
        WireReader reader = new(datagram);
        if (datagram.Length != Length
            || !reader.TryStart(PacketKinds.RelayHelloByte, out _)
            || !reader.TryUInt64(out ulong session)
            || !reader.TryUInt64(out ulong nonce))
        {
            return false;
        }

        hello = new RelayHello(session, nonce);
        return true;
    }

    public static bool Verify(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> key) => Authenticator.Verify(key, datagram);

    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public int Write(Span<byte> target, ReadOnlySpan<byte> key)
    {
        WireWriter writer = new(target);
        writer.Byte(PacketKinds.RelayHelloByte);
        writer.Byte(PacketKinds.VersionByte);
        writer.UInt64(Session);
        writer.UInt64(Nonce);
        writer.Zero(Authenticator.Length);
        if (writer.Length > 0)
        {
            Authenticator.Seal(key, writer.Written);
        }

        return writer.Length;
    }
}
