using System.Net.Sockets;

namespace EdgeMesh.Proxy.Udp;

/// <summary>
/// Takes what a socket holds in one go. All sockets share one buffer: they are read on one thread, and a datagram is done with
/// when its handler returns, so an idle socket holds no memory and a busy one allocates nothing.
/// </summary>
internal sealed class DatagramSocket(Socket socket, Action<byte[]> receive)
{
    private const int MaxDatagram = 65_536;

    // Then what they cause is sent before the next ones are taken.
    private const int DatagramsPerTurn = 64;

    [ThreadStatic]
    private static byte[]? buffer;

    private uint calls;
    private bool isBusy;

    /// <summary>
    /// The socket is readable. Whether there is a second datagram is asked if there was one the last time, else at every fourth call
    /// only: mostly one comes at a time, and what is left leads to another call in the next turn.
    /// </summary>
    public void Drain()
    {
        byte[] room = buffer ??= GC.AllocateUninitializedArray<byte>(MaxDatagram);
        int most = isBusy || ++calls % 4 == 0 ? DatagramsPerTurn : 1;
        int taken = 0;
        do
        {
            receive(room);
            taken++;
        }
        while (taken < most && socket.Available > 0);
        isBusy = taken > 1;
    }
}
