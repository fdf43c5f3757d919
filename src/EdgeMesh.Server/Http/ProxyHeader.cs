using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace EdgeMesh.Server.Http;

/// <summary>
/// What a front puts before a TCP connection that it passes on: who the client is. The PROXY protocol of HAProxy
/// (<c>doc/proxy-protocol.txt</c>), version 1, a line, and version 2, binary. A TLS handshake begins with 22, so the first byte tells
/// whether there is such a header.
/// </summary>
internal static class ProxyHeader
{
    /// <summary>A version 2 header may carry 64 KiB of extensions; fronts send some hundred bytes.</summary>
    public const int MaxLength = 4096;

    private const int MaxLine = 107;
    private const int BinaryLength = 16;
    private const int Local = 0x20;
    private const int Proxied = 0x21;
    private const int TcpOverV4 = 0x11;
    private const int TcpOverV6 = 0x21;

    private static ReadOnlySpan<byte> Line => "PROXY "u8;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="bytes">What has come of the connection so far.</param>
    /// <param name="length">Of the header, where it is <see cref="ProxyHeaderKind.Read"/>.</param>
    /// <param name="client">Null where the front speaks for itself, or says that it does not know.</param>
    public static ProxyHeaderKind Read(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        length = 0;
        client = null;
        return bytes.IsEmpty ? ProxyHeaderKind.Incomplete
            : bytes[0] == Line[0] ? ReadLine(bytes, out length, out client)
            : bytes[0] == Signature[0] ? ReadBinary(bytes, out length, out client)
            : ProxyHeaderKind.None;
    }

    // "PROXY TCP4 192.0.2.7 203.0.113.1 56324 443\r\n", or "PROXY UNKNOWN" with anything behind it.
    private static ProxyHeaderKind ReadLine(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        client = null;
        int end = bytes[..Math.Min(bytes.Length, MaxLine)].IndexOf("\r\n"u8);
        length = end + 2;
        if (!StartsAs(bytes, Line) || (end < 0 && bytes.Length >= MaxLine))
        {
            return ProxyHeaderKind.Malformed;
        }

        if (end < 0)
        {
            return ProxyHeaderKind.Incomplete;
        }

        string[] words = Encoding.Latin1.GetString(bytes[..end]).Split(' ');
        if (words is ["PROXY", "UNKNOWN", ..])
        {
            return ProxyHeaderKind.Read;
        }

        bool isV6 = words is [_, "TCP6", ..];
        if (words is not [_, "TCP4" or "TCP6", { } from, _, { } fromPort, _]
            || !IPAddress.TryParse(from, out IPAddress? address) || (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != isV6
            || !ushort.TryParse(fromPort, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            return ProxyHeaderKind.Malformed;
        }

        client = new IPEndPoint(address, port);
        return ProxyHeaderKind.Read;
    }

    // Signature (12), version and command (1), family and protocol (1), length of what follows (2); addresses (4 or 16 each), ports (2 each), extensions.
    private static ProxyHeaderKind ReadBinary(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        client = null;
        length = 0;
        if (!StartsAs(bytes, Signature))
        {
            return ProxyHeaderKind.Malformed;
        }

        if (bytes.Length < BinaryLength)
        {
            return ProxyHeaderKind.Incomplete;
        }

        length = BinaryLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        int command = bytes[12];
        if (command is not (Local or Proxied) || length > MaxLength)
        {
            return ProxyHeaderKind.Malformed;
        }

        if (bytes.Length < length)
        {
            return ProxyHeaderKind.Incomplete;
        }

        int size = bytes[13] switch { TcpOverV4 => 4, TcpOverV6 => 16, _ => 0 };
        if (command == Local || size == 0)
        {
            return ProxyHeaderKind.Read;
        }

        ReadOnlySpan<byte> body = bytes[BinaryLength..length];
        if (body.Length < (2 * size) + 4)
        {
            return ProxyHeaderKind.Malformed;
        }

        client = new IPEndPoint(new IPAddress(body[..size]), BinaryPrimitives.ReadUInt16BigEndian(body[(2 * size)..]));
        return ProxyHeaderKind.Read;
    }

    private static bool StartsAs(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> wanted)
    {
        int common = Math.Min(bytes.Length, wanted.Length);
        return bytes[..common].SequenceEqual(wanted[..common]);
    }
}
