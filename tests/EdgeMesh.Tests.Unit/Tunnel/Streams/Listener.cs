using System.Net;
using System.Net.Sockets;

namespace EdgeMesh.Tests.Unit.Tunnel.Streams;

/// <summary>An endpoint on loopback.</summary>
internal sealed class Listener : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public Listener()
    {
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
    }

    public IPEndPoint Address => (IPEndPoint)socket.LocalEndPoint!;

    /// <summary>A client and the socket that was accepted from it, with nothing asynchronous begun on the latter.</summary>
    public static async Task<(Socket Client, Socket Accepted)> ConnectedAsync()
    {
        using Listener listener = new();
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task<Socket> accept = listener.socket.AcceptAsync();
        await client.ConnectAsync(listener.Address);
        return (client, await accept);
    }

    public async Task<Socket> AcceptAsync() => await socket.AcceptAsync().WaitAsync(StreamPair.Patience);

    public void Dispose() => socket.Dispose();
}
