using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>Very many clients that do next to nothing, against the echo servers. Says how many were answered and waits.</summary>
internal static class Crowd
{
    private const int AtATime = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>UDP promises nothing, so a client that hears nothing asks again, as resolvers do; how often it was needed is told.</summary>
    private static readonly TimeSpan UdpPatience = TimeSpan.FromSeconds(2);

    public static Task HoldAsync(IPEndPoint server, int count, Task end) => RunAsync(count, Patience, end, async stop =>
    {
        Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, stop);
        return socket;
    });

    public static Task FlowsAsync(IPEndPoint server, int count, Task end) => RunAsync(count, UdpPatience, end, async stop =>
    {
        Socket socket = new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, stop);
        return socket;
    });

    private static async Task RunAsync(int count, TimeSpan askEvery, Task end, Func<CancellationToken, Task<Socket>> open)
    {
        List<Socket> held = [];
        SortedDictionary<string, int> failures = new(StringComparer.Ordinal);
        int askedAgain = 0;
        Lock gate = new(); // guards held and failures
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
                (int times, bool isAnswered) = await AskAsync(socket, askEvery, limit.Token);
                Interlocked.Add(ref askedAgain, times - 1);
                failure = isAnswered ? null : "closed";
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
        string again = askedAgain > 0 ? $"asked-again={askedAgain} " : "";
        Console.WriteLine($"held {count - failed} failed {failed} {again}{string.Join(' ', failures.Select(f => $"{f.Key}={f.Value}"))}");
        await end;
        held.ForEach(socket => socket.Dispose());
    }

    private static async Task<(int Times, bool IsAnswered)> AskAsync(Socket socket, TimeSpan every, CancellationToken stop)
    {
        byte[] one = [1];
        for (int times = 1; ; times++)
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(every);
            await socket.SendAsync(one, stop);
            try
            {
                return (times, await socket.ReceiveAsync(one, patience.Token) == 1);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested && socket.SocketType == SocketType.Dgram)
            {
                // Lost; once more.
            }
        }
    }
}
