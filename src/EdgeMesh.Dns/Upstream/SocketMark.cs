using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.Dns;

/// <summary>SO_MARK of our own sockets, on which the mesh's rules let them pass. Without CAP_NET_ADMIN there are no rules either: said once.</summary>
internal sealed class SocketMark(int value, ILogger log)
{
    private const int SolSocket = 1;
    private const int SoMark = 36;

    private int refused;

    public void Set(Socket socket)
    {
        if (value == 0)
        {
            return;
        }

        Span<byte> option = stackalloc byte[4];
        BitConverter.TryWriteBytes(option, value);
        try
        {
            socket.SetRawSocketOption(SolSocket, SoMark, option);
        }
        catch (SocketException e)
        {
            if (Interlocked.Exchange(ref refused, 1) == 0)
            {
                DnsLog.MarkRefused(log, e.Message);
            }
        }
    }
}
