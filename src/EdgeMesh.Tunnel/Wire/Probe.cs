using System.Security.Cryptography;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// Ping or pong between peers: <c>04</c>, <c>10|kind</c>, sender (8), transaction (12), observed family (1), port (2), address
/// (16, IPv4 in the first 4), padding, HMAC (16). A ping is padded to the datagram size it tests; a pong is never padded.
/// </summary>
/// <param name="Kind">Ping or pong.</param>
/// <param name="Sender">Mesh address of the sender.</param>
/// <param name="Transaction">Chosen by the ping, repeated by the pong.</param>
/// <param name="Observed">In a pong: from where the ping was seen.</param>
public readonly record struct Probe(ProbeKind Kind, MeshAddress Sender, TransactionId Transaction, WireAddress Observed)
{
    public const int MinLength = 41 + Authenticator.Length;

    /// <summary>Reads without the key: the sender tells which key <see cref="Verify"/> needs.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out Probe probe)
    {
        probe = default;
        WireReader reader = new(datagram);
        if (datagram.Length < MinLength
            || !reader.TryStart(PacketKinds.ProbeByte, out byte kind) || kind is not (1 or 2)
            || !reader.TryUInt64(out ulong sender)
            || !reader.TryBytes(TransactionId.Length, out ReadOnlySpan<byte> transaction)
            || !reader.TryByte(out byte family) || family is not (0 or 4 or 6)
            || !reader.TryUInt16(out ushort port)
            || !reader.TryBytes(16, out ReadOnlySpan<byte> address))
        {
            return false;
        }

        WireAddress observed = family switch
        {
            4 => WireAddress.FromBytes(address[..4], port),
            6 => WireAddress.FromBytes(address, port),
            _ => default,
        };
        probe = new Probe((ProbeKind)kind, new MeshAddress(sender), TransactionId.Read(transaction), observed);
        return true;
    }

    public static bool Verify(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> key) => Authenticator.Verify(key, datagram);

    /// <summary>HMAC-SHA-256(key = share of the smaller name ‖ share of the greater, "edgemesh probe 1").</summary>
    public static byte[] DeriveKey(ReadOnlySpan<byte> shareOfSmaller, ReadOnlySpan<byte> shareOfGreater)
    {
        Span<byte> secret = stackalloc byte[2 * ControlHello.ShareLength];
        shareOfSmaller.CopyTo(secret);
        shareOfGreater.CopyTo(secret[ControlHello.ShareLength..]);
        return HMACSHA256.HashData(secret, "edgemesh probe 1"u8);
    }

    /// <summary>Writes exactly <paramref name="size"/> bytes, at least <see cref="MinLength"/>.</summary>
    /// <returns>The length of the message; 0 if the target is too short.</returns>
    public int Write(Span<byte> target, ReadOnlySpan<byte> key, int size = MinLength)
    {
        WireWriter writer = new(target);
        Span<byte> field = stackalloc byte[16];
        writer.Byte(PacketKinds.ProbeByte);
        writer.Byte((byte)(PacketKinds.VersionByte | (byte)Kind));
        writer.UInt64(Sender.Value);
        Transaction.Write(field);
        writer.Bytes(field[..TransactionId.Length]);
        field.Clear();
        Observed.CopyAddress(field);
        writer.Byte(Observed.Family);
        writer.UInt16(Observed.Port);
        writer.Bytes(field);
        writer.Zero(Math.Max(size, MinLength) - 41);
        if (writer.Length > 0)
        {
            Authenticator.Seal(key, writer.Written);
        }

        return writer.Length;
    }
}
