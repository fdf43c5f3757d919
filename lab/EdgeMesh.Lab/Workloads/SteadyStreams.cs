using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Lab.Workloads;

/// <summary>What became of the streams.</summary>
/// <param name="Streams">How many there were.</param>
/// <param name="Broken">Reset, closed early, or short of bytes at the end.</param>
/// <param name="Wrong">With a byte that is not the one sent, or one too many.</param>
/// <param name="Bytes">Echoed in all.</param>
/// <param name="LongestStallMilliseconds">The longest that any stream waited for the next byte.</param>
/// <param name="FirstFault">What broke first.</param>
/// <param name="Stalls">Every wait of more than 400 ms; of those that ended together only the longest.</param>
public sealed record SteadyOutcome(
    int Streams, int Broken, int Wrong, long Bytes, double LongestStallMilliseconds, string FirstFault, IReadOnlyList<Stall> Stalls);

/// <summary>A time in which a stream got nothing.</summary>
public sealed record Stall(DateTime Ended, double Milliseconds)
{
    public DateTime Began => Ended.AddMilliseconds(-Milliseconds);
}

/// <summary>Long streams to the echo server: a chunk every 50 ms, every byte of the echo checked by its place.</summary>
internal sealed class SteadyStreams(IPEndPoint server, int streams)
{
    private const int Chunk = 512;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(500);
    private const double StallMilliseconds = 400;

    private readonly Lock gate = new(); // guards the six fields below it
    private readonly List<Stall> stalls = [];
    private int broken;
    private int wrong;
    private long bytes;
    private double longestStall;
    private string firstFault = "";

    public async Task<SteadyOutcome> RunAsync(Task end)
    {
        await Task.WhenAll(Enumerable.Range(0, streams).Select(id => Task.Run(() => OneAsync(id, end))));
        return new SteadyOutcome(streams, broken, wrong, bytes, Math.Round(longestStall), firstFault, stalls);
    }

    private static byte ByteAt(int stream, long place) => (byte)((place * 131) + (place >> 9) + (stream * 17));

    private async Task OneAsync(int id, Task end)
    {
        try
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(server);
            Task<long> sending = SendAsync(socket, id, end);
            (long received, bool isWrong) = await ReceiveAsync(socket, id);
            long sent = await sending;
            Note(isWrong || received > sent, received < sent && !isWrong ? $"stream {id}: {received} of {sent} bytes came back" : null, received);
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException)
        {
            Note(isWrong: false, $"{DateTime.Now:HH:mm:ss.fff} stream {id}: {fault.Message}", 0);
        }
    }

    private static async Task<long> SendAsync(Socket socket, int id, Task end)
    {
        byte[] chunk = new byte[Chunk];
        long sent = 0;
        using PeriodicTimer timer = new(Pause);
        while (!end.IsCompleted)
        {
            for (int i = 0; i < Chunk; i++)
            {
                chunk[i] = ByteAt(id, sent + i);
            }

            for (int done = 0; done < Chunk;)
            {
                done += await socket.SendAsync(chunk.AsMemory(done));
            }

            sent += Chunk;
            await timer.WaitForNextTickAsync();
        }

        socket.Shutdown(SocketShutdown.Send);
        return sent;
    }

    private async Task<(long Received, bool IsWrong)> ReceiveAsync(Socket socket, int id)
    {
        byte[] buffer = new byte[64 * 1024];
        long received = 0;
        long last = Stopwatch.GetTimestamp();
        while (true)
        {
            using CancellationTokenSource limit = new(Patience);
            int length = await socket.ReceiveAsync(buffer, limit.Token);
            if (length == 0)
            {
                return (received, false);
            }

            double waited = Stopwatch.GetElapsedTime(last).TotalMilliseconds;
            last = Stopwatch.GetTimestamp();
            lock (gate)
            {
                longestStall = Math.Max(longestStall, waited);
                NoteStall(waited);
            }

            for (int i = 0; i < length; i++)
            {
                if (buffer[i] != ByteAt(id, received + i))
                {
                    return (received + i, true);
                }
            }

            received += length;
        }
    }

    private void NoteStall(double waited)
    {
        if (waited < StallMilliseconds)
        {
            return;
        }

        DateTime now = DateTime.UtcNow;
        if (stalls.Count > 0 && now - stalls[^1].Ended < Together)
        {
            stalls[^1] = waited > stalls[^1].Milliseconds ? new Stall(now, Math.Round(waited)) : stalls[^1];
        }
        else
        {
            stalls.Add(new Stall(now, Math.Round(waited)));
        }
    }

    private void Note(bool isWrong, string? fault, long count)
    {
        lock (gate)
        {
            bytes += count;
            wrong += isWrong ? 1 : 0;
            if (fault is not null)
            {
                broken++;
                firstFault = firstFault.Length == 0 ? fault : firstFault;
            }
        }
    }
}
