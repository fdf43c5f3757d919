using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Dns;

/// <summary>
/// Queries on real sockets, a fresh one each time: its random port and the random id are what an off-path forger must guess
/// (RFC 5452), and a connected one hears at once that nobody listens.
/// </summary>
internal sealed class SocketExchange(SocketMark mark)
{
    public ValueTask<byte[]> ExchangeAsync(IPEndPoint server, byte[] query, bool isStream, CancellationToken stop) =>
        isStream ? OverTcpAsync(server, query, stop) : OverUdpAsync(server, query, stop);

    private async ValueTask<byte[]> OverUdpAsync(IPEndPoint server, byte[] query, CancellationToken stop)
    {
        using Socket socket = new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        mark.Set(socket);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(DnsLimits.UdpPayload);
        try
        {
            await socket.ConnectAsync(server, stop).ConfigureAwait(false);
            await socket.SendAsync(query, SocketFlags.None, stop).ConfigureAwait(false);
            while (true)
            {
                int length = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, stop).ConfigureAwait(false);
                if (UpstreamMessage.IsAnswerTo(query, buffer.AsSpan(0, length)))
                {
                    return buffer[..length];
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<byte[]> OverTcpAsync(IPEndPoint server, byte[] query, CancellationToken stop)
    {
        using Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        mark.Set(socket);
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        using NetworkStream stream = new(socket);
        byte[] framed = new byte[query.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed, 2);
        await stream.WriteAsync(framed, stop).ConfigureAwait(false);
        byte[] head = new byte[2];
        await stream.ReadExactlyAsync(head, stop).ConfigureAwait(false);
        byte[] answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        await stream.ReadExactlyAsync(answer, stop).ConfigureAwait(false);
        return UpstreamMessage.IsAnswerTo(query, answer) ? answer : throw new IOException("the answer is for another question");
    }
}
