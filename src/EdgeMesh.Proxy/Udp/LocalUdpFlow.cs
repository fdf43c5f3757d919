using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Udp;

/// <summary>A flow to an endpoint that this node's kernel reaches, over its own connected socket.</summary>
internal sealed class LocalUdpFlow : UdpFlow
{
    private readonly Socket socket;
    private readonly IDisposable watched;
    private readonly DatagramReceiver receiver;
    private volatile DialStatus status;

    private LocalUdpFlow(Socket socket, SocketWatch watch, DatagramReceiver receiver)
    {
        this.socket = socket;
        this.receiver = receiver;
        watched = watch(socket, new DatagramSocket(socket, ReceiveOne).Drain);
    }

    public override DialStatus Status => status;

    /// <exception cref="SocketException">No route, or no file left.</exception>
    public static LocalUdpFlow Open(IPEndPoint endpoint, SocketWatch watch, DatagramReceiver receiver)
    {
        Socket socket = new(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            SocketSetup.MarkAsAgent(socket);
            SocketSetup.Enlarge(socket, 1 << 20);
            socket.Connect(endpoint);
            socket.Blocking = false;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }

        return new LocalUdpFlow(socket, watch, receiver);
    }

    public override void Send(ReadOnlySpan<byte> payload)
    {
        try
        {
            socket.Send(payload, SocketFlags.None, out SocketError error);
            if (error is SocketError.ConnectionRefused)
            {
                // Told of an earlier datagram; this one was not sent.
                status = DialStatus.Refused;
            }
            else if (error != SocketError.Success)
            {
                ProxyMetrics.UdpDropped.Add(1, new KeyValuePair<string, object?>("reason", "send"));
            }
        }
        catch (ObjectDisposedException)
        {
            status = DialStatus.NotMine;
        }
    }

    protected override void Dispose(bool disposing) => watched.Dispose();

    private void ReceiveOne(byte[] buffer)
    {
        int count = socket.Receive(buffer.AsSpan(), SocketFlags.None, out SocketError error);
        if (error == SocketError.Success)
        {
            receiver(buffer.AsSpan(0, count));
        }
        else if (error != SocketError.WouldBlock)
        {
            status = error == SocketError.ConnectionRefused ? DialStatus.Refused : DialStatus.Unreachable;
        }
    }
}
