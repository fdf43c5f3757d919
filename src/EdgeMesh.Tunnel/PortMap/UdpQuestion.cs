using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Tunnel.PortMap;

/// <summary>Tells whether a datagram is the answer that is waited for.</summary>
internal delegate bool AnswerTest(ReadOnlySpan<byte> datagram, IPEndPoint from);

/// <summary>A datagram to the gateway, asked again with doubled pauses as RFC 6886 section 3.1 wants it, but for 1.75 s only.</summary>
internal static class UdpQuestion
{
    private static readonly int[] PausesMs = [250, 500, 1000];

    /// <returns>Length of the answer; 0 if none came.</returns>
    public static async Task<int> AskAsync(
        Socket socket, IPEndPoint to, int? mark, ReadOnlyMemory<byte> question, Memory<byte> answer, AnswerTest isAnswer, CancellationToken stop)
    {
        Identity.MarkedSocket.Mark(socket, mark);
        IPEndPoint any = new(IPAddress.Any, 0);
        foreach (int pause in PausesMs)
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(pause);
            try
            {
                await socket.SendToAsync(question, SocketFlags.None, to, stop).ConfigureAwait(false);
                while (true)
                {
                    SocketReceiveFromResult got = await socket.ReceiveFromAsync(answer, SocketFlags.None, any, limit.Token).ConfigureAwait(false);
                    IPEndPoint from = (IPEndPoint)got.RemoteEndPoint;
                    if (from.Address.Equals(to.Address) && isAnswer(answer.Span[..got.ReceivedBytes], from))
                    {
                        return got.ReceivedBytes;
                    }
                }
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Asked again.
            }
            catch (SocketException)
            {
                // An ICMP error: nobody is at that port.
                return 0;
            }
        }

        return 0;
    }
}
