using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>Very many clients that do next to nothing, against the echo servers. Says how many were answered and waits.</summary>
internal static class Crowd
{
    private const int AtATime = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Task HoldAsync(IPEndPoint server, int count, Task end) => RunAsync(count, end, async stop =>
    {
        Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, stop);
        return socket;
    });

    public static Task FlowsAsync(IPEndPoint server, int count, Task end) => RunAsync(count, end, async stop =>
    {
        Socket socket = new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, stop);
        return socket;
    });

    private static async Task RunAsync(int count, Task end, Func<CancellationToken, Task<Socket>> open)
    {
        List<Socket> held = [];
        int failed = 0;
        Lock gate = new(); // guards both
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (_, _) =>
        {
            using CancellationTokenSource limit = new(Patience);
            try
            {
                Socket socket = await open(limit.Token);
                byte[] one = [1];
                await socket.SendAsync(one, limit.Token);
                bool isAnswered = await socket.ReceiveAsync(one, limit.Token) == 1;
                lock (gate)
                {
                    held.Add(socket);
                    failed += isAnswered ? 0 : 1;
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                lock (gate)
                {
                    failed++;
                }
            }
        });
        Console.WriteLine($"held {held.Count} failed {failed}");
        await end;
        held.ForEach(socket => socket.Dispose());
    }
}
