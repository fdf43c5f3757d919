using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.Lab.Workloads;

/// <summary>
/// A server that writes down every line it is given, prints it and answers "ok": what was delivered, and how often, can be read
/// afterwards from its output.
/// </summary>
internal static class Ledger
{
    public static async Task ServeAsync(IPEndPoint listen, CancellationToken stop)
    {
        using Socket listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(listen);
        listener.Listen(1024);
        HashSet<Task> running = [];
        while (!stop.IsCancellationRequested)
        {
            running.Add(OneAsync(await listener.AcceptAsync(stop), stop));
            running.RemoveWhere(task => task.IsCompleted);
        }
    }

    /// <summary>Gives one line to a ledger; the answer, or what went wrong.</summary>
    public static async Task<string> GiveAsync(IPEndPoint server, string line)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        try
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server, limit.Token);
            await socket.SendAsync(Encoding.ASCII.GetBytes(line + "\n"), limit.Token);
            byte[] answer = new byte[64];
            int length = await socket.ReceiveAsync(answer, limit.Token);
            return length == 0 ? "closed" : Encoding.ASCII.GetString(answer, 0, length).Trim();
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode.ToString();
        }
        catch (OperationCanceledException)
        {
            return "nothing within 30 s";
        }
    }

    private static async Task OneAsync(Socket client, CancellationToken stop)
    {
        using (client)
        {
            try
            {
                byte[] buffer = new byte[1024];
                int length = 0;
                while (length < buffer.Length && buffer.AsSpan(0, length).IndexOf((byte)'\n') < 0)
                {
                    int got = await client.ReceiveAsync(buffer.AsMemory(length), stop);
                    if (got == 0)
                    {
                        return;
                    }

                    length += got;
                }

                Console.WriteLine(Encoding.ASCII.GetString(buffer, 0, length).Trim());
                await client.SendAsync("ok\n"u8.ToArray(), stop);
                client.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // The line is written down or it is not; the answer is not what this server is for.
            }
        }
    }
}
