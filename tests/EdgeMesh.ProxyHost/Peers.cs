using System.Net;
using System.Net.Sockets;
using EdgeMesh.Model;

namespace EdgeMesh.ProxyHost;

/// <summary>In the tunnel's place: dials the peer's address directly, under the same contract.</summary>
internal sealed class Peers(Dictionary<NodeName, IPAddress> addresses)
{
    /// <summary>edge2 is 20 ms away, edge3 30.</summary>
    public static PeerDistance DistanceOf(NodeName node) =>
        new(PeerTier.Direct, TimeSpan.FromMilliseconds(10 * (node.Value[^1] - '0')));

    public async ValueTask<TcpForwardResult> ForwardTcpAsync(
        DialTarget target, Socket client, ReadOnlyMemory<byte> replay, CancellationToken stop)
    {
        if (!addresses.TryGetValue(target.Node, out IPAddress? address))
        {
            return new TcpForwardResult(DialStatus.PeerUnreachable, replay, 0, 0);
        }

        Socket server = new(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await server.ConnectAsync(new IPEndPoint(address, target.Endpoint.Port), stop);
        }
        catch (SocketException)
        {
            server.Dispose();

            // As the tunnel does: what was read of the client's bytes by now is given back.
            byte[] early = client.Available > 0 ? new byte[client.Available] : [];
            int count = early.Length > 0 ? client.Receive(early) : 0;
            return new TcpForwardResult(DialStatus.Refused, (byte[])[.. replay.Span, .. early.AsSpan(0, count)], 0, 0);
        }

        await server.SendAsync(replay, stop);
        using CancellationTokenRegistration abort = stop.Register(() =>
        {
            client.Close(0);
            server.Close(0);
        });
        Task up = CopyAsync(client, server);
        Task down = CopyAsync(server, client);
        await Task.WhenAll(up, down);
        client.Dispose();
        server.Dispose();
        return new TcpForwardResult(DialStatus.Ok, default, 0, 0);
    }

    public UdpFlow ForwardUdp(DialTarget target, DatagramReceiver receiver) =>
        new DirectFlow(new IPEndPoint(addresses[target.Node], target.Endpoint.Port), receiver);

    private static async Task CopyAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[65536];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and int count)
            {
                for (int sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            from.Close(0);
            to.Close(0);
        }
    }

    private sealed class DirectFlow : UdpFlow
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly Thread reader;
        private volatile DialStatus status;

        public DirectFlow(IPEndPoint to, DatagramReceiver receiver)
        {
            socket.ReceiveBufferSize = 1 << 20;
            socket.Connect(to);
            reader = new Thread(() => Read(receiver)) { IsBackground = true };
            reader.Start();
        }

        public override DialStatus Status => status;

        public override void Send(ReadOnlySpan<byte> payload)
        {
            socket.Send(payload, SocketFlags.None, out SocketError error);
            if (error == SocketError.ConnectionRefused)
            {
                status = DialStatus.Refused;
            }
        }

        protected override void Dispose(bool disposing) => socket.Dispose();

        private void Read(DatagramReceiver receiver)
        {
            byte[] buffer = new byte[65536];
            while (true)
            {
                try
                {
                    receiver(buffer.AsSpan(0, socket.Receive(buffer)));
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    status = DialStatus.Refused;
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }
}
