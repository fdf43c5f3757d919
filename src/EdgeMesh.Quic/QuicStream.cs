namespace EdgeMesh.Quic;

/// <summary>A bidirectional stream. In the loop only. Without a handler its data is thrown away.</summary>
public sealed class QuicStream
{
    internal QuicStream() => throw new NotImplementedException();

    public long Id => throw new NotImplementedException();

    public QuicConnection Connection => throw new NotImplementedException();

    public IStreamHandler? Handler { get; set; }

    /// <summary>For the owner's own use.</summary>
    public object? Owner { get; set; }

    /// <summary>Free bytes of the send ring, what it may still grow included; 0 after <see cref="Finish"/> or a reset.</summary>
    public int SendRoom => throw new NotImplementedException();

    /// <summary>The contiguous free part of the native ring; empty = no room. Valid until the next call.</summary>
    public Span<byte> GetSendSpan() => throw new NotImplementedException();

    /// <summary>The first <paramref name="count"/> bytes of <see cref="GetSendSpan"/> are to be sent.</summary>
    public void CommitSend(int count) => throw new NotImplementedException();

    /// <summary>Copies what fits.</summary>
    /// <returns>How much that was.</returns>
    public int Write(ReadOnlySpan<byte> data) => throw new NotImplementedException();

    /// <summary>FIN behind what is committed.</summary>
    public void Finish() => throw new NotImplementedException();

    /// <summary>RESET_STREAM: what is not yet acknowledged may be lost.</summary>
    public void Reset(ulong code) => throw new NotImplementedException();

    /// <summary>STOP_SENDING: what still comes is thrown away, its credit given back.</summary>
    public void StopSending(ulong code) => throw new NotImplementedException();

    /// <summary>Gives flow-control credit back for bytes that were delivered and are done with.</summary>
    public void Consume(int bytes) => throw new NotImplementedException();
}
