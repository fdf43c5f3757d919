using EdgeMesh.Model;
using EdgeMesh.Quic;
using EdgeMesh.Tunnel.Wire;

namespace EdgeMesh.Tunnel.Streams;

/// <summary>
/// Measures the way to a peer's agent and back: a stream to no endpoint (port 0), which is answered <c>not mine</c>. In the loop
/// only, but for the constructor and <see cref="Completion"/>.
/// </summary>
internal sealed class PingStream : IStreamUser, IStreamHandler
{
    private readonly TaskCompletionSource<long> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action? onOver;
    private long sentAt;

    /// <summary>ns; negative if the peer was not reached.</summary>
    public Task<long> Completion => completion.Task;

    public bool IsOver => completion.Task.IsCompleted;

    public void Start(QuicStream stream, bool holdPayload, Action over)
    {
        onOver = over;
        stream.Handler = this;
        sentAt = Reactor.Clock();
        Span<byte> header = stackalloc byte[ServiceHeader.MaxLength];
        WireAddress nowhere = WireAddress.FromBytes([0, 0, 0, 0], 0);
        int length = new ServiceHeader { Protocol = TransportProtocol.Tcp, Endpoint = nowhere, Client = nowhere, Namespace = default, Service = default }.Write(header);
        _ = stream.Write(header[..length]);
        stream.Finish();
    }

    public void Fail(DialStatus status) => End(-1);

    void IStreamHandler.OnData(QuicStream stream, ReadOnlySpan<byte> data, bool fin)
    {
        stream.Consume(data.Length);
        if (!data.IsEmpty)
        {
            End(Reactor.Clock() - sentAt);
        }
    }

    void IStreamHandler.OnWritable(QuicStream stream)
    {
    }

    void IStreamHandler.OnReset(QuicStream stream, ulong code) => End(-1);

    void IStreamHandler.OnStopSending(QuicStream stream, ulong code)
    {
    }

    void IStreamHandler.OnClosed(QuicStream stream)
    {
        End(-1);
        onOver?.Invoke();
        onOver = null;
    }

    private void End(long roundTrip) => completion.TrySetResult(roundTrip);
}
