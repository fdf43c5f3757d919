using System.Text;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// First message of each side on the control stream: version (1), boot id (16), probe key share (32), node name (1 + n), relay
/// receive limit (2). Bytes that follow belong to a later version and are ignored.
/// </summary>
internal readonly ref struct ControlHello
{
    public const int ShareLength = 32;
    public const byte Version = 1;

    public required Guid BootId { get; init; }

    public required ReadOnlySpan<byte> ProbeKeyShare { get; init; }

    public required NodeName Node { get; init; }

    public required ushort RelayLimit { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> body, out ControlHello hello)
    {
        hello = default;
        WireReader reader = new(body);
        if (!reader.TryByte(out byte version) || version < Version
            || !reader.TryBytes(16, out ReadOnlySpan<byte> bootId)
            || !reader.TryBytes(ShareLength, out ReadOnlySpan<byte> share)
            || !reader.TryShortText(out ReadOnlySpan<byte> name)
            || !NodeName.TryParse(Encoding.Latin1.GetString(name), out NodeName node)
            || !reader.TryUInt16(out ushort limit))
        {
            return false;
        }

        hello = new ControlHello { BootId = new Guid(bootId), ProbeKeyShare = share, Node = node, RelayLimit = limit };
        return true;
    }

    /// <returns>The length of the whole message; 0 if the target is too short.</returns>
    public int Write(Span<byte> target)
    {
        WireWriter writer = ControlMessage.Begin(target, ControlType.Hello);
        Span<byte> bytes = stackalloc byte[256];
        BootId.TryWriteBytes(bytes);
        writer.Byte(Version);
        writer.Bytes(bytes[..16]);
        writer.Bytes(ProbeKeyShare);
        writer.ShortText(bytes[..Encoding.UTF8.GetBytes(Node.Value, bytes)]);
        writer.UInt16(RelayLimit);
        return ControlMessage.End(ref writer);
    }
}
