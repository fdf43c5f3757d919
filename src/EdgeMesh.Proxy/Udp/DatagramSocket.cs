using System.Buffers;
using System.Net.Sockets;

namespace EdgeMesh.Proxy.Udp;

/// <summary>
/// Waits with a one-byte peek and then drains synchronously: an idle socket holds no buffer, a busy one allocates nothing.
/// </summary>
internal static class DatagramSocket
{
    public const int MaxDatagram = 65_536;

    /// <param name="socket">Closing it ends the loop.</param>
    /// <param name="receive">Takes one datagram from the socket into the buffer and handles it.</param>
    /// <param name="failed">A pending error of the socket (ICMP); false ends the loop.</param>
    public static async Task DrainAsync(Socket socket, Action<byte[]> receive, Func<SocketError, bool> failed)
    {
        byte[] peek = new byte[1];
        while (true)
        {
            try
            {
                await socket.ReceiveAsync(peek.AsMemory(), SocketFlags.Peek).ConfigureAwait(false);
                byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxDatagram);
                try
                {
                    do
                    {
                        receive(buffer);
                    }
                    while (socket.Available > 0);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                if (e.SocketErrorCode is SocketError.OperationAborted or SocketError.NotSocket or SocketError.Shutdown
                    || !failed(e.SocketErrorCode))
                {
                    return;
                }
            }
        }
    }
}
