using System.Buffers;

namespace EdgeMesh.Kube;

/// <summary>Reads a watch as it comes: one JSON object a line. All lines that came at once are one batch.</summary>
internal static class WatchReader
{
    private const int MaxLine = 8 << 20;

    /// <param name="stream">The body of the answer.</param>
    /// <param name="onLine">Takes one event.</param>
    /// <param name="onBatch">Everything that has come by now was handed over.</param>
    /// <param name="stop">Stops.</param>
    /// <exception cref="ApiException">A line is beyond all bounds, or the stream ends within one.</exception>
    public static async Task ReadAsync(Stream stream, ItemReceiver onLine, Action onBatch, CancellationToken stop)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        int end = 0;
        try
        {
            while (true)
            {
                int count = await stream.ReadAsync(buffer.AsMemory(end), stop).ConfigureAwait(false);
                if (count == 0)
                {
                    if (buffer.AsSpan(0, end).Trim(" \r\n"u8).Length > 0)
                    {
                        throw new ApiException(0, "the watch breaks off within an event");
                    }

                    return;
                }

                end += count;
                int taken = Hand(buffer.AsSpan(0, end), onLine);
                if (taken > 0)
                {
                    onBatch();
                }

                buffer.AsSpan(taken, end - taken).CopyTo(buffer);
                end -= taken;
                if (end == buffer.Length)
                {
                    if (end > MaxLine)
                    {
                        throw new ApiException(0, $"an event of the watch is longer than {MaxLine >> 20} MB");
                    }

                    byte[] larger = ArrayPool<byte>.Shared.Rent(2 * end);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int Hand(ReadOnlySpan<byte> text, ItemReceiver onLine)
    {
        int taken = 0;
        while (text[taken..].IndexOf((byte)'\n') is >= 0 and int length)
        {
            ReadOnlySpan<byte> line = text.Slice(taken, length).Trim(" \r"u8);
            taken += length + 1;
            if (!line.IsEmpty)
            {
                onLine(line);
            }
        }

        return taken;
    }
}
