using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>TCP and UDP echo servers.</summary>
internal static class Echo
{
    public static async Task TcpAsync(IPEndPoint listen, CancellationToken stop)
    {
        using Socket listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(listen);
        listener.Listen(4096);
        HashSet<Task> running = [];
        while (!stop.IsCancellationRequested)
        {
            Socket client = await listener.AcceptAsync(stop);
            running.Add(ServeAsync(client, stop));
            running.RemoveWhere(task => task.IsCompleted);
        }
    }

    /// <summary>One thread, one buffer: as fast as system calls are.</summary>
    public static void Udp(IPEndPoint listen)
    {
        using Socket socket = new(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.ReceiveBufferSize = 4 * 1024 * 1024;
        socket.Bind(listen);
        byte[] buffer = new byte[65536];
        SocketAddress from = new(listen.AddressFamily);
        while (true)
        {
            int length = socket.ReceiveFrom(buffer, SocketFlags.None, from);
            try
            {
                socket.SendTo(buffer.AsSpan(0, length), SocketFlags.None, from);
            }
            catch (SocketException)
            {
                // The asker is gone; the next one is not.
            }
        }
    }

    private static async Task ServeAsync(Socket client, CancellationToken stop)
    {
        using (client)
        {
            byte[] buffer = new byte[64 * 1024];
            try
            {
                client.NoDelay = true;
                while (await client.ReceiveAsync(buffer, stop) is > 0 and int length)
                {
                    for (int sent = 0; sent < length;)
                    {
                        sent += await client.SendAsync(buffer.AsMemory(sent, length - sent), stop);
                    }
                }

                client.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // A reset ends this connection and no other.
            }
        }
    }
}
