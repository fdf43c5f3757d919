using System.Net.Sockets;

namespace EdgeMesh.Proxy.Udp;

/// <summary>
/// Takes what a socket holds in one go. All sockets share one buffer: they are read on one thread, and a datagram is done with
/// when its handler returns, so an idle socket holds no memory and a busy one allocates nothing.
/// </summary>
internal static class DatagramSocket
{
    private const int MaxDatagram = 65_536;

    // Then what they cause is sent before the next ones are taken.
    private const int DatagramsPerTurn = 64;

    [ThreadStatic]
    private static byte[]? buffer;

    /// <param name="socket">Readable.</param>
    /// <param name="receive">Takes one datagram from the socket into the buffer and handles it.</param>
    public static void Drain(Socket socket, Action<byte[]> receive)
    {
        byte[] room = buffer ??= GC.AllocateUninitializedArray<byte>(MaxDatagram);
        int left = DatagramsPerTurn;
        do
        {
            receive(room);
        }
        while (--left > 0 && socket.Available > 0);
    }
}
