using System.Buffers;

namespace EdgeMesh.Kube;

/// <summary>Lines of a stream, one at a time, in one buffer that grows to the longest of them.</summary>
internal sealed class LineReader(Stream stream, int maxLine) : IDisposable
{
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(16 << 10);
    private int start;
    private int end;

    /// <summary>The next line without its end. The span is valid until the next call. False at the end of the stream.</summary>
    /// <exception cref="DocumentException">The line is longer than allowed, or the stream ends within it.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int at = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                line = buffer.AsSpan(start, searched + at);
                start += searched + at + 1;
                return true;
            }

            searched = end - start;
            if (!Fill())
            {
                line = default;
                return searched == 0 ? false : throw new DocumentException(0, "ends within a line");
            }
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    private bool Fill()
    {
        if (end == buffer.Length)
        {
            MakeRoom();
        }

        int read = stream.Read(buffer, end, buffer.Length - end);
        end += read;
        return read > 0;
    }

    private void MakeRoom()
    {
        int length = end - start;
        if (length >= maxLine)
        {
            throw new DocumentException(0, $"a line is longer than {maxLine} bytes");
        }

        byte[] target = length > buffer.Length / 2 ? ArrayPool<byte>.Shared.Rent(buffer.Length * 2) : buffer;
        buffer.AsSpan(start, length).CopyTo(target);
        if (target != buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = target;
        }

        (start, end) = (0, length);
    }
}
