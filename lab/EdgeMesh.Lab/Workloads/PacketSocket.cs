using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>All Ethernet frames of one interface (packet(7)).</summary>
internal sealed class PacketSocket : IDisposable
{
    private const ushort AllProtocols = 3; // ETH_P_ALL
    private const int SolPacket = 263;
    private const int IgnoreOutgoing = 23; // PACKET_IGNORE_OUTGOING: not what we sent ourselves

    private readonly Socket socket;

    public PacketSocket(string device)
    {
        socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(AllProtocols));
        int index = int.Parse(File.ReadAllText($"/sys/class/net/{device}/ifindex"), CultureInfo.InvariantCulture);
        socket.Bind(new LinkEndPoint(index));
        socket.SetRawSocketOption(SolPacket, IgnoreOutgoing, [1, 0, 0, 0]);
        socket.ReceiveBufferSize = 32 * 1024 * 1024;
        socket.SendBufferSize = 8 * 1024 * 1024;
    }

    /// <summary>Waits for the next frame that came in.</summary>
    public int Receive(Span<byte> buffer) => socket.Receive(buffer);

    public void Send(ReadOnlySpan<byte> frame)
    {
        try
        {
            socket.Send(frame);
        }
        catch (SocketException)
        {
            // A full device queue loses the frame, as any device does.
        }
    }

    public void Dispose() => socket.Dispose();

    // sockaddr_ll: family (2), protocol (2, network order), interface index (4), …
    private sealed class LinkEndPoint(int index) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            SocketAddress address = new(AddressFamily.Packet, 20);
            address.Buffer.Span[2..].Clear();
            BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], AllProtocols);
            BinaryPrimitives.WriteInt32LittleEndian(address.Buffer.Span[4..], index);
            return address;
        }
    }
}
