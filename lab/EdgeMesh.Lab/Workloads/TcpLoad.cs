using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>Rate per second and latency in ms.</summary>
public sealed record TcpLoadOutcome(int Done, int Failed, double PerSecond, double P50, double P99);

/// <summary>Clients of the TCP echo server.</summary>
internal static class TcpLoad
{
    /// <summary>New connections: connect, one byte there and back, close.</summary>
    public static Task<TcpLoadOutcome> ConnectAsync(IPEndPoint server, int concurrency, TimeSpan duration) =>
        RunAsync(concurrency, duration, async () =>
        {
            using Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            // Closed with RST: no TIME_WAIT, or the ports run out in seconds.
            socket.LingerState = new LingerOption(true, 0);
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
            await socket.ConnectAsync(server, limit.Token);
            byte[] one = [1];
            await socket.SendAsync(one, limit.Token);
            return await socket.ReceiveAsync(one, limit.Token) == 1;
        });

    /// <summary>One connection per client, one small message after the other there and back.</summary>
    public static async Task<TcpLoadOutcome> PingAsync(IPEndPoint server, int concurrency, TimeSpan duration, int bytes)
    {
        List<Socket> sockets = [];
        System.Collections.Concurrent.ConcurrentBag<Socket> free = [];
        for (int i = 0; i < concurrency; i++)
        {
            Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server);
            sockets.Add(socket);
            free.Add(socket);
        }

        TcpLoadOutcome outcome = await RunAsync(concurrency, duration, async () =>
        {
            if (!free.TryTake(out Socket? socket))
            {
                return false;
            }

            byte[] message = new byte[bytes];
            await socket.SendAsync(message);
            int got = 0;
            while (got < bytes)
            {
                int now = await socket.ReceiveAsync(message.AsMemory(got));
                if (now == 0)
                {
                    return false;
                }

                got += now;
            }

            free.Add(socket);
            return true;
        });
        sockets.ForEach(socket => socket.Dispose());
        return outcome;
    }

    private static async Task<TcpLoadOutcome> RunAsync(int concurrency, TimeSpan duration, Func<Task<bool>> once)
    {
        List<double> times = [];
        int failed = 0;
        long began = Stopwatch.GetTimestamp();
        async Task ClientAsync()
        {
            List<double> own = [];
            int lost = 0;
            while (Stopwatch.GetElapsedTime(began) < duration)
            {
                long start = Stopwatch.GetTimestamp();
                bool good;
                try
                {
                    good = await once();
                }
                catch (Exception error) when (error is SocketException or OperationCanceledException)
                {
                    good = false;
                }

                if (good)
                {
                    own.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
                else
                {
                    lost++;
                }
            }

            lock (times)
            {
                times.AddRange(own);
                failed += lost;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(ClientAsync)));
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        double[] ordered = [.. times.Order()];
        return new TcpLoadOutcome(ordered.Length, failed, Math.Round(ordered.Length / seconds, 1), Percentile.Of(ordered, 50), Percentile.Of(ordered, 99));
    }
}
