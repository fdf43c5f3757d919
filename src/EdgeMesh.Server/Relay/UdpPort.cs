using System.Net;

using EdgeMesh.Quic;

namespace EdgeMesh.Server.Relay;

/// <summary>One bound UDP port: tells the relay which socket a train came to.</summary>
internal sealed class UdpPort(UdpRelay relay, bool isStunOnly) : IDisposable
{
    // Of 3 Gbit/s, with what the kernel adds, it holds 80 ms, for which a machine may be busy elsewhere.
    private const int BufferBytes = 32 << 20;

    private UdpSocket? socket;

    public bool IsStunOnly { get; } = isStunOnly;

    /// <summary>Set by <see cref="Open"/>.</summary>
    public UdpSocket Socket => socket ?? throw new InvalidOperationException("the port is not open");

    public void Open(Reactor reactor, IPEndPoint bind) => socket = UdpSocket.Open(reactor, bind, new UdpSocketOptions { BufferBytes = BufferBytes }, OnDatagrams);

    public void Dispose() => socket?.Dispose();

    private void OnDatagrams(in UdpAddress from, Span<byte> train, int segmentSize) => relay.Receive(this, from, train, segmentSize);
}
