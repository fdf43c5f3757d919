using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;
using EdgeMesh.Proxy.Host;

namespace EdgeMesh.Proxy.Udp;

/// <summary>A flow to an endpoint that this node's kernel reaches, over its own connected socket.</summary>
internal sealed class LocalUdpFlow : UdpFlow
{
    private readonly Socket socket;
    private readonly DatagramReceiver receiver;
    private volatile DialStatus status;

    private LocalUdpFlow(Socket socket, DatagramReceiver receiver)
    {
        this.socket = socket;
        this.receiver = receiver;
    }

    /// <summary>Ends when the flow is disposed.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public override DialStatus Status => status;

    /// <exception cref="SocketException">No route, or no file left.</exception>
    public static LocalUdpFlow Open(IPEndPoint endpoint, DatagramReceiver receiver)
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

        LocalUdpFlow flow = new(socket, receiver);
        flow.Completion = DatagramSocket.DrainAsync(socket, flow.ReceiveOne, flow.OnError);
        return flow;
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

    protected override void Dispose(bool disposing) => socket.Dispose();

    private void ReceiveOne(byte[] buffer)
    {
        int count = socket.Receive(buffer.AsSpan(), SocketFlags.None, out SocketError error);
        if (error == SocketError.Success)
        {
            receiver(buffer.AsSpan(0, count));
        }
        else if (error != SocketError.WouldBlock)
        {
            OnError(error);
        }
    }

    private bool OnError(SocketError error)
    {
        status = error == SocketError.ConnectionRefused ? DialStatus.Refused : DialStatus.Unreachable;
        return true;
    }
}
