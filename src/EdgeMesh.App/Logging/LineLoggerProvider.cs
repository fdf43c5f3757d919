using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace EdgeMesh.App.Logging;

/// <summary>
/// Writes log lines to one stream (standard error) from a task of its own, so that a stalled reader of the log never stalls
/// the mesh: beyond <see cref="QueueLines"/> waiting lines, new ones are dropped and counted. Why not the platform's console
/// logger: <c>docs/decisions/logging.md</c>.
/// </summary>
internal sealed class LineLoggerProvider : ILoggerProvider, IAsyncDisposable
{
    private const int QueueLines = 2048;

    private readonly Channel<byte[]> queue = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(QueueLines) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Stream output;
    private readonly LogFormat format;
    private readonly TimeProvider time;
    private readonly Task writer;
    private int dropped;

    public LineLoggerProvider(Stream output, LogFormat format, TimeProvider time)
    {
        this.output = output;
        this.format = format;
        this.time = time;
        writer = Task.Run(WriteAsync);
    }

    public ILogger CreateLogger(string categoryName) => new LineLogger(this, Short(categoryName));

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writer.ConfigureAwait(false);
    }

    // ILogger's factory disposes synchronously; the owner awaits DisposeAsync, which writes what is queued.
    public void Dispose() => queue.Writer.TryComplete();

    internal void Write(LogLevel level, string category, string message, Exception? error)
    {
        if (!queue.Writer.TryWrite(LogLine.Format(format, time.GetUtcNow(), level, category, message, error)))
        {
            Interlocked.Increment(ref dropped);
        }
    }

    // "EdgeMesh.Tunnel.PeerLoop" is the Tunnel's log to an operator.
    private static string Short(string category)
    {
        const string Own = "EdgeMesh.";
        return category.StartsWith(Own, StringComparison.Ordinal) ? category[Own.Length..] : category;
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (byte[] line in queue.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await output.WriteAsync(line).ConfigureAwait(false);
                if (Interlocked.Exchange(ref dropped, 0) is > 0 and int lost)
                {
                    await output.WriteAsync(LogLine.Format(
                        format, time.GetUtcNow(), LogLevel.Warning, "App", $"{lost} log lines were dropped: the log's reader is slow", null))
                        .ConfigureAwait(false);
                }
            }
        }
        catch (IOException)
        {
            // Nobody reads the log any more. The mesh goes on; later lines fill the queue and are dropped.
        }
    }
}
