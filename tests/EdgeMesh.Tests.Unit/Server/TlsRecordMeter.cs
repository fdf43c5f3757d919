using System.Buffers.Binary;

namespace EdgeMesh.Tests.Unit.Server;

/// <summary>Below a TLS client: how large the records are that come (RFC 8446 section 5.1: type, version, length).</summary>
internal sealed class TlsRecordMeter(Stream inner) : Stream
{
    private const int HeaderLength = 5;

    private readonly byte[] header = new byte[HeaderLength];
    private int headerRead;
    private int left;

    /// <summary>Of one record.</summary>
    public int Largest { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        Count(buffer.Span[..read]);
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (left > 0)
            {
                int skipped = Math.Min(left, bytes.Length);
                left -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            header[headerRead++] = bytes[0];
            bytes = bytes[1..];
            if (headerRead == HeaderLength)
            {
                headerRead = 0;
                left = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3));
                Largest = Math.Max(Largest, left);
            }
        }
    }
}
