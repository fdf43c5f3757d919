namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// The server's answer to a hello, with the address it came from: <c>0A 10</c>, nonce (8), family (1), port (2), address (4 or
/// 16), HMAC (16) under the session's key.
/// </summary>
public readonly record struct RelayHelloAnswer(ulong Nonce, WireAddress Observed)
{
    public const int MaxLength = 45;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out RelayHelloAnswer answer)
    {
        answer = default;
        WireReader reader = new(datagram);
        if (!reader.TryStart(PacketKinds.RelayHelloAnswerByte, out _)
            || !reader.TryUInt64(out ulong nonce)
            || !reader.TryAddress(out WireAddress observed)
            || reader.Rest.Length != Authenticator.Length)
        {
            return false;
        }

        answer = new RelayHelloAnswer(nonce, observed);
        return true;
    }

    public static bool Verify(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> key) => Authenticator.Verify(key, datagram);

    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public int Write(Span<byte> target, ReadOnlySpan<byte> key)
    {
        WireWriter writer = new(target);
        writer.Byte(PacketKinds.RelayHelloAnswerByte);
        writer.Byte(PacketKinds.VersionByte);
        writer.UInt64(Nonce);
        writer.Address(Observed);
        writer.Zero(Authenticator.Length);
        if (writer.Length > 0)
        {
            Authenticator.Seal(key, writer.Written);
        }

        return writer.Length;
    }
}
