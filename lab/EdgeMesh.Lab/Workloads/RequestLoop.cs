using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.Lab.Workloads;

/// <summary>What became of the requests of a loop.</summary>
public sealed record RequestOutcome(int Sent, int Failed, double SlowestMilliseconds, string FirstFailure);

/// <summary>
/// Clients that ask for a page again and again, each time on a new connection, as <c>curl</c> in a loop would but without a
/// process per request.
/// </summary>
internal sealed class RequestLoop(IPEndPoint server, string host, string path)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lock gate = new(); // guards the four fields below it
    private int sent;
    private int failed;
    private double slowest;
    private string firstFailure = "";

    /// <summary>One client that asks every <paramref name="interval"/> without waiting for the answer before, until <paramref name="end"/>.</summary>
    public async Task<RequestOutcome> EveryAsync(TimeSpan interval, Task end)
    {
        List<Task> running = [];
        using PeriodicTimer tick = new(interval);
        while (!end.IsCompleted)
        {
            running.Add(Task.Run(OneAsync));
            running.RemoveAll(task => task.IsCompletedSuccessfully);
            await tick.WaitForNextTickAsync();
        }

        await Task.WhenAll(running);
        return Outcome();
    }

    /// <summary>Several clients, one request after the other with a pause between, <paramref name="total"/> requests in all.</summary>
    public async Task<RequestOutcome> ManyAsync(int clients, int total, TimeSpan pause)
    {
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < total / clients; i++)
            {
                await OneAsync();
                await Task.Delay(pause);
            }
        })));
        return Outcome();
    }

    private RequestOutcome Outcome()
    {
        lock (gate)
        {
            return new RequestOutcome(sent, failed, Math.Round(slowest, 1), firstFailure);
        }
    }

    private async Task OneAsync()
    {
        long began = Stopwatch.GetTimestamp();
        string? error = await AskAsync();
        double took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        lock (gate)
        {
            sent++;
            slowest = Math.Max(slowest, took);
            if (error is not null)
            {
                failed++;
                firstFailure = firstFailure.Length == 0 ? $"{DateTime.Now:HH:mm:ss.fff} after {took:F0} ms: {error}" : firstFailure;
            }
        }
    }

    private async Task<string?> AskAsync()
    {
        using CancellationTokenSource limit = new(Patience);
        try
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server, limit.Token);
            byte[] request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            await socket.SendAsync(request, limit.Token);
            byte[] answer = new byte[4096];
            int length = 0;
            while (await socket.ReceiveAsync(answer.AsMemory(length), limit.Token) is > 0 and int got)
            {
                length += got;
            }

            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8) ? null : $"answer of {length} bytes is no 200";
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {Patience.TotalSeconds:F0} s";
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode.ToString();
        }
    }
}
