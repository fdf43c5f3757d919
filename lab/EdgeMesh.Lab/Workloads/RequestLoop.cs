using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeMesh.Lab.Workloads;

/// <summary>What became of the requests of a loop.</summary>
/// <param name="Sent">How many there were.</param>
/// <param name="Failed">How many of them had no answer.</param>
/// <param name="P50">Half were answered within so many ms.</param>
/// <param name="P99">99 % were answered within so many ms.</param>
/// <param name="SlowestMilliseconds">The last answer took so long.</param>
/// <param name="FailingMilliseconds">From the first failure to the last.</param>
/// <param name="Errors">What the failures were, each once.</param>
/// <param name="FirstFailure">When and what the first one was.</param>
public sealed record RequestOutcome(
    int Sent, int Failed, double P50, double P99, double SlowestMilliseconds, double FailingMilliseconds, string[] Errors, string FirstFailure);

/// <summary>
/// Clients that ask for a page again and again, each time on a new connection, as <c>curl</c> in a loop would but without a
/// process per request.
/// </summary>
internal sealed class RequestLoop(IPEndPoint server, string host, string path)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lock gate = new(); // guards the fields below it
    private readonly List<double> times = [];
    private readonly HashSet<string> errors = [];
    private long firstFailed;
    private long lastFailed;
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
            double[] ordered = [.. times.Order()];
            return new RequestOutcome(
                sent, failed, Percentile.Of(ordered, 50), Percentile.Of(ordered, 99), Math.Round(slowest, 1),
                Math.Round(Stopwatch.GetElapsedTime(firstFailed, lastFailed).TotalMilliseconds), [.. errors], firstFailure);
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
            times.Add(took);
            if (error is not null)
            {
                failed++;
                errors.Add(error);
                lastFailed = Stopwatch.GetTimestamp();
                firstFailed = firstFailed == 0 ? lastFailed : firstFailed;
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
