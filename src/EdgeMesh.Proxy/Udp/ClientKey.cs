using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Proxy.Udp;

/// <summary>A client's address as a value: looked up once per datagram, without an allocation.</summary>
internal readonly record struct ClientKey(ulong High, ulong Low, ushort Port)
{
    /// <summary>Reads a sockaddr_in or sockaddr_in6 (port at 2; address at 4 or 8).</summary>
    public static ClientKey Of(SocketAddress address)
    {
        ReadOnlySpan<byte> raw = address.Buffer.Span;
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(raw[2..]);
        return address.Family == AddressFamily.InterNetwork
            ? new ClientKey(0, BinaryPrimitives.ReadUInt32BigEndian(raw[4..]), port)
            : new ClientKey(BinaryPrimitives.ReadUInt64BigEndian(raw[8..]), BinaryPrimitives.ReadUInt64BigEndian(raw[16..]), port);
    }
}
