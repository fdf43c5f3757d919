using System.Buffers.Binary;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// Frame of the control stream: length (2: type and body), type (1), body. Small messages have their codec here; readers of
/// unknown types skip them.
/// </summary>
internal static class ControlMessage
{
    public const int HeaderLength = 3;

    /// <summary>No message of this version is longer; a longer one is a broken peer.</summary>
    public const int MaxLength = 4096;

    /// <summary>Of a revocation list in one message.</summary>
    public const int RevocationPartLength = 4000;

    /// <summary>Servers in a message; a mesh has at most 8.</summary>
    public const int MaxServers = 16;

    /// <summary>Takes the first whole message off <paramref name="stream"/>; false if there is none yet.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> stream, out ControlType type, out ReadOnlySpan<byte> body)
    {
        type = default;
        body = default;
        if (stream.Length < HeaderLength)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(stream);
        if (length == 0 || length > stream.Length - 2)
        {
            return false;
        }

        type = (ControlType)stream[2];
        body = stream[HeaderLength..(2 + length)];
        stream = stream[(2 + length)..];
        return true;
    }

    /// <summary>The stream begins with a message of length 0 or over <see cref="MaxLength"/>.</summary>
    public static bool IsBroken(ReadOnlySpan<byte> stream) =>
        BinaryPrimitives.TryReadUInt16BigEndian(stream, out ushort length) && length is 0 or > MaxLength;

    public static bool TryReadPunch(ReadOnlySpan<byte> body, out ushort round) => TryReadNumber(body, out round);

    public static bool TryReadRelayLimit(ReadOnlySpan<byte> body, out ushort limit) => TryReadNumber(body, out limit);

    public static int WritePunch(Span<byte> target, ushort round) => WriteNumber(target, ControlType.Punch, round);

    public static int WriteRelayLimit(Span<byte> target, ushort limit) => WriteNumber(target, ControlType.RelayLimit, limit);

    public static int WriteGoing(Span<byte> target)
    {
        WireWriter writer = Begin(target, ControlType.Going);
        return End(ref writer);
    }

    /// <param name="target">Where to.</param>
    /// <param name="ports">Ports that are worth trying first, at most 255.</param>
    public static int WriteGuess(Span<byte> target, ReadOnlySpan<ushort> ports)
    {
        WireWriter writer = Begin(target, ControlType.Guess);
        writer.Byte((byte)ports.Length);
        foreach (ushort port in ports)
        {
            writer.UInt16(port);
        }

        return End(ref writer);
    }

    /// <summary>The ports of a guess; what is missing or broken is no port.</summary>
    public static ushort[] ReadGuess(ReadOnlySpan<byte> body)
    {
        WireReader reader = new(body);
        List<ushort> ports = [];
        if (reader.TryByte(out byte count))
        {
            while (ports.Count < count && reader.TryUInt16(out ushort port))
            {
                ports.Add(port);
            }
        }

        return [.. ports];
    }

    /// <param name="target">Where to.</param>
    /// <param name="servers">What the sender is connected to, at most <see cref="MaxServers"/>.</param>
    public static int WriteServers(Span<byte> target, IReadOnlyList<ServerDistance> servers)
    {
        WireWriter writer = Begin(target, ControlType.Servers);
        writer.Byte((byte)servers.Count);
        foreach (ServerDistance server in servers)
        {
            writer.UInt64(server.Server);
            writer.UInt32(server.Microseconds);
        }

        return End(ref writer);
    }

    /// <summary>False if the message is broken.</summary>
    public static bool TryReadServers(ReadOnlySpan<byte> body, List<ServerDistance> servers)
    {
        servers.Clear();
        WireReader reader = new(body);
        if (!reader.TryByte(out byte count) || count > MaxServers)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            if (!reader.TryUInt64(out ulong server) || !reader.TryUInt32(out uint microseconds))
            {
                return false;
            }

            servers.Add(new ServerDistance(server, microseconds));
        }

        return true;
    }

    /// <summary>Number of the newest revocation list the sender has.</summary>
    public static int WriteRevocations(Span<byte> target, uint number)
    {
        WireWriter writer = Begin(target, ControlType.Revocations);
        writer.UInt32(number);
        return End(ref writer);
    }

    public static bool TryReadRevocations(ReadOnlySpan<byte> body, out uint number) => new WireReader(body).TryUInt32(out number);

    public static int WriteRevocationPart(Span<byte> target, in RevocationPart part)
    {
        WireWriter writer = Begin(target, ControlType.RevocationPart);
        writer.UInt32(part.Number);
        writer.UInt16(part.Index);
        writer.UInt16(part.Count);
        writer.Bytes(part.Bytes.Span);
        return End(ref writer);
    }

    public static bool TryReadRevocationPart(ReadOnlySpan<byte> body, out RevocationPart part)
    {
        WireReader reader = new(body);
        part = default;
        if (!reader.TryUInt32(out uint number) || !reader.TryUInt16(out ushort index) || !reader.TryUInt16(out ushort count))
        {
            return false;
        }

        part = new RevocationPart(number, index, count, reader.Rest.ToArray());
        return true;
    }

    internal static WireWriter Begin(Span<byte> target, ControlType type)
    {
        WireWriter writer = new(target);
        writer.UInt16(0);
        writer.Byte((byte)type);
        return writer;
    }

    internal static int End(ref WireWriter writer)
    {
        if (writer.Length > 0)
        {
            writer.PatchLength(0);
        }

        return writer.Length;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> body, out ushort number) => new WireReader(body).TryUInt16(out number);

    private static int WriteNumber(Span<byte> target, ControlType type, ushort number)
    {
        WireWriter writer = Begin(target, type);
        writer.UInt16(number);
        return End(ref writer);
    }
}
