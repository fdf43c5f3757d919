using System.Net;

namespace EdgeMesh.Quic;

/// <summary>A UDP socket of one family on the reactor that moves trains of datagrams: GSO out, GRO in. In the loop only.</summary>
public sealed class UdpSocket : IDisposable
{
    /// <summary>The socket has room again after <see cref="SendResult.WouldBlock"/>.</summary>
    public event Action? Writable { add => throw new NotImplementedException(); remove => throw new NotImplementedException(); }

    public IPEndPoint LocalEndPoint => throw new NotImplementedException();

    public UdpSocketCounters Counters => throw new NotImplementedException();

    /// <summary>Binds and begins to receive. Any thread.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address is taken or not ours.</exception>
    public static UdpSocket Open(Reactor reactor, IPEndPoint bind, UdpSocketOptions options, DatagramHandler onDatagrams) =>
        throw new NotImplementedException();

    /// <summary>Sends a train; never throws for reasons of the network.</summary>
    public SendResult Send(in UdpAddress to, ReadOnlySpan<byte> train, int segmentSize) => throw new NotImplementedException();

    /// <summary>Any thread.</summary>
    public void Dispose() => throw new NotImplementedException();
}
