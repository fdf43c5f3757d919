using System.Buffers.Binary;
using EdgeMesh.Model;

namespace EdgeMesh.Tunnel.Wire;

/// <summary>
/// What a stream or flow is for: length (2: all that follows), version (1) = 1, protocol (1), endpoint, client (each family (1),
/// port (2), address), namespace (1 + n), Service (1 + n). Payload follows at once. Bytes between the Service and the length
/// belong to a later version and are ignored.
/// </summary>
internal readonly ref struct ServiceHeader
{
    public const byte Version = 1;

    /// <summary>Every header of this version fits; a longer one is refused before it is read.</summary>
    public const int MaxLength = 640;

    public required TransportProtocol Protocol { get; init; }

    public required WireAddress Endpoint { get; init; }

    public required WireAddress Client { get; init; }

    /// <summary>UTF-8.</summary>
    public required ReadOnlySpan<byte> Namespace { get; init; }

    /// <summary>UTF-8.</summary>
    public required ReadOnlySpan<byte> Service { get; init; }

    /// <summary>False with <paramref name="need"/> &gt; 0: that many bytes must be there first. False with 0: it is broken.</summary>
    public static bool TryRead(ReadOnlySpan<byte> stream, out ServiceHeader header, out int length, out int need)
    {
        header = default;
        length = need = 0;
        if (stream.Length < 2)
        {
            need = 2;
            return false;
        }

        int total = 2 + BinaryPrimitives.ReadUInt16BigEndian(stream);
        if (total > MaxLength)
        {
            return false;
        }

        if (total > stream.Length)
        {
            need = total;
            return false;
        }

        WireReader reader = new(stream[2..total]);
        if (!reader.TryByte(out byte version) || version < Version
            || !reader.TryByte(out byte protocol) || protocol is not (6 or 17)
            || !reader.TryAddress(out WireAddress endpoint)
            || !reader.TryAddress(out WireAddress client)
            || !reader.TryShortText(out ReadOnlySpan<byte> space)
            || !reader.TryShortText(out ReadOnlySpan<byte> service))
        {
            return false;
        }

        header = new ServiceHeader
        {
            Protocol = (TransportProtocol)protocol,
            Endpoint = endpoint,
            Client = client,
            Namespace = space,
            Service = service,
        };
        length = total;
        return true;
    }

    /// <returns>The length of the whole header; 0 if the target is too short.</returns>
    public int Write(Span<byte> target)
    {
        WireWriter writer = new(target);
        writer.UInt16(0);
        writer.Byte(Version);
        writer.Byte((byte)Protocol);
        writer.Address(Endpoint);
        writer.Address(Client);
        writer.ShortText(Namespace);
        writer.ShortText(Service);
        if (writer.Length > 0)
        {
            writer.PatchLength(0);
        }

        return writer.Length;
    }
}
