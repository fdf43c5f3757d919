using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.ProxyHost;

/// <summary>
/// TCP: reads until the client's FIN, then says its name, the client's address and the number of bytes, so that every answer
/// needs a half-open connection; "reset" is answered by RST. UDP: "who" is answered by the name, all else is sent back.
/// </summary>
internal static class EchoServer
{
    /// <param name="name">What it calls itself.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="mayRead">It accepts at once but reads nothing before this.</param>
    public static async Task<int> RunAsync(string name, int port, Task mayRead)
    {
        using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 8 << 20 };
        udp.Bind(new IPEndPoint(IPAddress.Any, port));
        Thread thread = new(() => ServeUdp(udp, name)) { IsBackground = true };
        thread.Start();
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, port));
        listener.Listen(1024);
        Console.WriteLine("ready");
        List<Task> running = [];
        while (true)
        {
            Socket client = await listener.AcceptAsync();
            running.RemoveAll(t => t.IsCompleted);
            running.Add(ServeAsync(client, name, mayRead));
        }
    }

    private static async Task ServeAsync(Socket client, string name, Task mayRead)
    {
        try
        {
            await mayRead;
            byte[] buffer = new byte[65536];
            long total = 0;
            while (await client.ReceiveAsync(buffer) is > 0 and int count)
            {
                if (total == 0 && buffer.AsSpan(0, count).StartsWith("reset"u8))
                {
                    client.Close(0);
                    return;
                }

                total += count;
            }

            await client.SendAsync(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)client.RemoteEndPoint!).Address} {total}\n"));
            client.Shutdown(SocketShutdown.Both);
            client.Dispose();
        }
        catch (SocketException)
        {
            client.Dispose();
        }
    }

    private static void ServeUdp(Socket udp, string name)
    {
        byte[] buffer = new byte[65536];
        byte[] own = Encoding.ASCII.GetBytes(name);
        SocketAddress from = new(AddressFamily.InterNetwork);
        while (true)
        {
            try
            {
                int count = udp.ReceiveFrom(buffer, SocketFlags.None, from);
                udp.SendTo(buffer.AsSpan(0, count).SequenceEqual("who"u8) ? own : buffer.AsSpan(0, count), SocketFlags.None, from);
            }
            catch (SocketException)
            {
                // A client that is gone.
            }
        }
    }
}
