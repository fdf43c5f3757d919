using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace EdgeMesh.Demo;

/// <summary>
/// A client that asks again every few milliseconds, each time on a new connection, as <c>curl</c> in a loop would but without
/// a process per request. It runs inside a pod (<c>edgemesh-demo requests …</c>) until its standard input closes, then prints one JSON line.
/// </summary>
internal sealed class RequestLoop(IPEndPoint server, string host, string path, TimeSpan interval, TimeSpan patience)
{
    private readonly Lock gate = new(); // guards the four fields below it
    private int sent;
    private int failed;
    private double slowest;
    private string firstFailure = "";

    public sealed record Outcome(int Sent, int Failed, double SlowestMilliseconds, string FirstFailure);

    public static async Task<int> RunAsync(string[] args)
    {
        IPEndPoint server = IPEndPoint.Parse(args[0]);
        RequestLoop loop = new(server, args[1], args[2],
            TimeSpan.FromMilliseconds(int.Parse(args[3], CultureInfo.InvariantCulture)), TimeSpan.FromSeconds(10));
        Outcome outcome = await loop.UntilAsync(Console.In.ReadToEndAsync());
        Console.WriteLine(JsonSerializer.Serialize(outcome));
        return outcome.Failed == 0 ? 0 : 1;
    }

    public async Task<Outcome> UntilAsync(Task end)
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
        lock (gate)
        {
            return new Outcome(sent, failed, Math.Round(slowest, 1), firstFailure);
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
        using CancellationTokenSource limit = new(patience);
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
            return $"no answer within {patience.TotalSeconds:F0} s";
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode.ToString();
        }
    }
}
