using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Bench.Quic;

/// <summary>The pod: swallows ('S', until FIN, then answers one byte), or answers 64 bytes with 64 ('E').</summary>
internal static class Target
{
    public static int Run(IPEndPoint listen)
    {
        using Socket listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(listen);
        listener.Listen(512);
        Console.WriteLine("ready");
        while (true)
        {
            Socket socket = listener.Accept();
            new Thread(() => Serve(socket), 128 << 10) { IsBackground = true }.Start();
        }
    }

    private static void Serve(Socket socket)
    {
        using (socket)
        {
            byte[] buffer = new byte[256 << 10];
            try
            {
                int count = socket.Receive(buffer);
                if (count > 0 && buffer[0] == (byte)'E')
                {
                    socket.Send(buffer.AsSpan(0, 64));
                    return;
                }

                while (socket.Receive(buffer) > 0)
                {
                }

                socket.Send("."u8);
            }
            catch (SocketException)
            {
            }
        }
    }
}
