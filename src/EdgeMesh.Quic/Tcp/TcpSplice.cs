using System.Net.Sockets;

namespace EdgeMesh.Quic;

/// <summary>
/// Copies between a TCP connection and a stream until both directions are over: half-close as FIN, RST as reset code 1,
/// back-pressure both ways. Takes over the events of both. In the loop only.
/// </summary>
public sealed class TcpSplice : IStreamHandler, ITcpEvents
{
    /// <summary>Application error code that stands for RST in RESET_STREAM and STOP_SENDING.</summary>
    public const ulong ResetCode = 1;

    /// <param name="tcp">Owned from <see cref="Start"/> on.</param>
    /// <param name="onDone">Called once, last, when both directions are over.</param>
    public TcpSplice(ReactorTcp tcp, QuicStream stream, Action<TcpSplice> onDone) => throw new NotImplementedException();

    /// <summary>TCP to stream.</summary>
    public long BytesToStream => throw new NotImplementedException();

    /// <summary>Stream to TCP.</summary>
    public long BytesFromStream => throw new NotImplementedException();

    /// <summary>Whether either side ended in a reset instead of two FINs.</summary>
    public bool WasReset => throw new NotImplementedException();

    /// <param name="alreadyFromStream">What the stream delivered before, behind the owner's header; its credit has not been given back (the splice calls <see cref="QuicStream.Consume"/> for it).</param>
    /// <param name="streamFin">Whether the stream's FIN came with it.</param>
    public void Start(ReadOnlySpan<byte> alreadyFromStream, bool streamFin) => throw new NotImplementedException();

    /// <summary>Resets both sides.</summary>
    public void Abort() => throw new NotImplementedException();

    void IStreamHandler.OnData(QuicStream stream, ReadOnlySpan<byte> data, bool fin) => throw new NotImplementedException();

    void IStreamHandler.OnWritable(QuicStream stream) => throw new NotImplementedException();

    void IStreamHandler.OnReset(QuicStream stream, ulong code) => throw new NotImplementedException();

    void IStreamHandler.OnStopSending(QuicStream stream, ulong code) => throw new NotImplementedException();

    void IStreamHandler.OnClosed(QuicStream stream) => throw new NotImplementedException();

    void ITcpEvents.OnConnected() => throw new NotImplementedException();

    void ITcpEvents.OnFailed(SocketError error) => throw new NotImplementedException();

    void ITcpEvents.OnReadable() => throw new NotImplementedException();

    void ITcpEvents.OnWritable() => throw new NotImplementedException();
}
