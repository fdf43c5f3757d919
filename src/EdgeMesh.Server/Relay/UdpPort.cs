using System.Net;

using EdgeMesh.Quic;

namespace EdgeMesh.Server.Relay;

/// <summary>One bound UDP port: tells the relay which socket a train came to.</summary>
internal sealed class UdpPort(UdpRelay relay, bool isStunOnly) : IDisposable
{
    private UdpSocket? socket;

    public bool IsStunOnly { get; } = isStunOnly;

    /// <summary>Set by <see cref="Open"/>.</summary>
    public UdpSocket Socket => socket ?? throw new InvalidOperationException("the port is not open");

    public void Open(Reactor reactor, IPEndPoint bind) => socket = UdpSocket.Open(reactor, bind, new UdpSocketOptions(), OnDatagrams);

    public void Dispose() => socket?.Dispose();

    private void OnDatagrams(in UdpAddress from, Span<byte> train, int segmentSize) => relay.Receive(this, from, train, segmentSize);
}
