using System.Buffers.Binary;
using System.IO.Hashing;
using System.Net;
using System.Text;
using EdgeMesh.Proxy.Choice;

namespace EdgeMesh.Proxy.Balance;

/// <summary>A number that any node computes alike from a client, or a slot that clients are sorted into, and an endpoint.</summary>
internal static class ClientHash
{
    public static ulong Of(IPAddress client, PlannedEndpoint endpoint)
    {
        Span<byte> address = stackalloc byte[16];
        client.TryWriteBytes(address, out int length);
        return Of(address[..length], endpoint);
    }

    public static ulong Of(int slot, PlannedEndpoint endpoint)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, slot);
        return Of(number, endpoint);
    }

    private static ulong Of(ReadOnlySpan<byte> who, PlannedEndpoint endpoint)
    {
        Span<byte> text = stackalloc byte[16 + 16 + 2 + 256];
        who.CopyTo(text);
        int length = who.Length;
        endpoint.Address.Address.TryWriteBytes(text[length..], out int more);
        length += more;
        BinaryPrimitives.WriteUInt16BigEndian(text[length..], (ushort)endpoint.Address.Port);
        length += 2;
        length += Encoding.UTF8.GetBytes(endpoint.Node?.Value ?? "", text[length..]);
        return XxHash3.HashToUInt64(text[..length]);
    }
}
