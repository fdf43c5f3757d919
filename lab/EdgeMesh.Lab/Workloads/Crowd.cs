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
        SortedDictionary<string, int> failures = new(StringComparer.Ordinal);
        Lock gate = new(); // guards both
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (_, _) =>
        {
            using CancellationTokenSource limit = new(Patience);
            string step = "connect";
            string? failure = null;
            try
            {
                Socket socket = await open(limit.Token);
                lock (gate)
                {
                    held.Add(socket);
                }

                step = "answer";
                byte[] one = [1];
                await socket.SendAsync(one, limit.Token);
                failure = await socket.ReceiveAsync(one, limit.Token) == 1 ? null : "closed";
            }
            catch (OperationCanceledException)
            {
                failure = "silent";
            }
            catch (SocketException e)
            {
                failure = $"{e.SocketErrorCode}";
            }

            if (failure is not null)
            {
                lock (gate)
                {
                    failures[$"{step}-{failure}"] = failures.GetValueOrDefault($"{step}-{failure}") + 1;
                }
            }
        });
        int failed = failures.Values.Sum();
        Console.WriteLine($"held {count - failed} failed {failed} {string.Join(' ', failures.Select(f => $"{f.Key}={f.Value}"))}");
        await end;
        held.ForEach(socket => socket.Dispose());
    }
}
